"""Small ONNX models."""

from __future__ import annotations

from onnx import TensorProto, helper


def leaning() -> bytes:
    """A model that pushes CartPole the way its pole leans."""
    nodes = [
        helper.make_node("Gather", ["observation", "index"], ["angle"], axis=1),
        helper.make_node("Greater", ["angle", "zero"], ["right"]),
        helper.make_node("Cast", ["right"], ["action"], to=TensorProto.INT64),
    ]
    constants = [
        helper.make_tensor("index", TensorProto.INT64, [], [2]),
        helper.make_tensor("zero", TensorProto.FLOAT, [], [0.0]),
    ]
    given = helper.make_tensor_value_info("observation", TensorProto.FLOAT, ["batch", 4])
    taken = helper.make_tensor_value_info("action", TensorProto.INT64, ["batch"])
    graph = helper.make_graph(nodes, "leaning", [given], [taken], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    return bytes(model.SerializeToString())
