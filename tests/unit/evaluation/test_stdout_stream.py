"""Output while a test runs: late, seldom, valid and capped."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rlplatform.evaluation.judge import Judge
from rlplatform.evaluation.models import EvaluationRequest
from rlplatform.evaluation.stdout_stream import AFTER_S, EVERY_S, TEST_BYTES, ByteBudget, OutputChunk, StdoutStream
from rlplatform.testing.sandboxes import ScriptedPool, exited


class Time:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def heard(chunks: list[tuple[float, bytes]], allowance: int = 1 << 20) -> list[OutputChunk]:
    """Return what is sent of ``chunks``, each after so many seconds."""
    time, sent = Time(), []
    live = StdoutStream("t", sent.append, ByteBudget(allowance), time)
    for wait_s, chunk in chunks:
        time.now += wait_s
        live(chunk)
    return sent


def test_a_quick_test_sends_nothing() -> None:
    assert heard([(AFTER_S / 2, b"done\n"), (0.0, b"")]) == []


def test_what_is_printed_together_comes_together() -> None:
    sent = heard([(0.0, b"a"), (AFTER_S, b""), (EVERY_S / 3, b"b"), (EVERY_S / 3, b"c"), (EVERY_S, b""), (9.0, b"")])
    assert sent == [OutputChunk("t", 0, "a", False), OutputChunk("t", 1, "bc", False)]


def test_a_character_in_two_chunks_is_one() -> None:
    euro = "€".encode()
    assert [p.text for p in heard([(AFTER_S, euro[:1]), (EVERY_S, euro[1:]), (EVERY_S, b"\xff")])] == ["€", "\ufffd"]


def test_the_last_piece_says_that_there_was_more() -> None:
    sent = heard([(AFTER_S, b"x" * (TEST_BYTES + 1)), (EVERY_S, b"y"), (EVERY_S, b"")])
    assert sent == [OutputChunk("t", 0, "x" * TEST_BYTES, True)]
    assert heard([(AFTER_S, b"xyz")], allowance=2) == [OutputChunk("t", 0, "xy", True)]


@given(st.lists(st.tuples(st.floats(0, 0.3), st.binary(max_size=9000)), max_size=12))
def test_the_pieces_are_the_beginning_of_the_output(chunks: list[tuple[float, bytes]]) -> None:
    everything = b"".join(chunk for _, chunk in chunks)
    sent = heard([*chunks, (1.0, b"")])
    text = "".join(piece.text for piece in sent)
    assert len(text.encode()) <= 3 * TEST_BYTES
    assert everything[:TEST_BYTES].decode("utf-8", "replace").startswith(text)
    assert [piece.offset for piece in sent] == [sum(len(p.text) for p in sent[:i]) for i in range(len(sent))]
    assert any(piece.truncated for piece in sent) == (len(everything) > TEST_BYTES)


def test_a_hidden_test_is_never_heard() -> None:
    pool = ScriptedPool([exited(b"open"), exited(b"secret"), exited(b"open")])
    tests = [{"id": "open"}, {"id": "hidden", "hidden": True}, {"id": "last"}]
    Judge(pool).judge(EvaluationRequest.model_validate({"source": "", "tests": tests}), lambda _: None, on_output=print)
    (sandbox,) = pool.opened
    assert sandbox.listened == [True, False, True]
