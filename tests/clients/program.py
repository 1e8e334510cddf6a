"""An integrator's program on the client that openapi-python-client has generated: an evaluation and a training, whole.

``python program.py URL KEY``, with the generated package ``rlp_api`` on the path. Every answer is one that the document
promises, as the class that it promises.
"""

from __future__ import annotations

import io
import json
import sys
import tarfile
from collections.abc import Iterator
from typing import Any, TypeVar

from rlp_api import models
from rlp_api.api.access import access_create_key, access_create_ticket, access_revoke_key, access_whoami
from rlp_api.api.checkpoints import checkpoints_delete, checkpoints_download, checkpoints_index
from rlp_api.api.environments import environments_index
from rlp_api.api.evaluations import (
    evaluations_cancel,
    evaluations_index,
    evaluations_show,
    evaluations_submit,
    evaluations_submit_batch,
)
from rlp_api.api.events import events_of_evaluation, events_of_training
from rlp_api.api.health import health_healthz, health_readyz
from rlp_api.api.live import live_connect
from rlp_api.api.policies import (
    policies_act,
    policies_delete,
    policies_download,
    policies_index,
    policies_publish,
    policies_show,
)
from rlp_api.api.trainings import (
    trainings_check,
    trainings_index,
    trainings_metrics,
    trainings_pause,
    trainings_resume,
    trainings_show,
    trainings_start,
    trainings_stop,
)
from rlp_api.api.usage import usage_show_quotas, usage_show_usage
from rlp_api.api.webhooks import webhooks_create, webhooks_delete, webhooks_deliveries, webhooks_index, webhooks_rotate
from rlp_api.client import AuthenticatedClient
from rlp_api.types import File

T = TypeVar("T")
EVENTS: dict[str, Any] = {
    "evaluation.queued": models.EvaluationQueued,
    "evaluation.started": models.EvaluationStarted,
    "evaluation.output": models.EvaluationOutput,
    "evaluation.test_finished": models.EvaluationTestFinished,
    "evaluation.finished": models.EvaluationFinished,
    "evaluation.cancelled": models.EvaluationCancelled,
    "training.queued": models.TrainingQueued,
    "training.starting": models.TrainingStarting,
    "training.started": models.TrainingStarted,
    "training.iteration_completed": models.TrainingIterationCompleted,
    "training.evaluated": models.TrainingEvaluated,
    "training.checkpoint_saved": models.TrainingCheckpointSaved,
    "training.pause_requested": models.TrainingPauseRequested,
    "training.paused": models.TrainingPaused,
    "training.resume_requested": models.TrainingResumeRequested,
    "training.resumed": models.TrainingResumed,
    "training.stop_requested": models.TrainingStopRequested,
    "training.stopped": models.TrainingStopped,
    "training.succeeded": models.TrainingSucceeded,
}


def a(kind: type[T], found: object) -> T:
    assert isinstance(found, kind), found
    return found


def events(client: AuthenticatedClient, request: dict[str, Any]) -> Iterator[Any]:
    """The events of a stream as they come, each as its class."""
    with client.get_httpx_client().stream(**request) as response:
        assert response.status_code == 200, response.read()
        for line in response.iter_lines():
            if line.startswith("data:"):
                event = json.loads(line.removeprefix("data:"))
                yield EVENTS[event["type"]].from_dict(event)


def evaluate(client: AuthenticatedClient) -> None:
    request = models.EvaluationRequest(
        source="print(int(input()) * 2)",
        tests=[
            models.TestCase(id="small", stdin="2\n", expected_stdout="4\n"),
            models.TestCase(id="large", stdin="1000000\n", expected_stdout="2000000\n", points=2.0, hidden=True),
        ],
        checker=models.FloatsChecker(kind="floats", abs_tol=0.001),
        limits=models.Limits(cpu_time_s=1.0),
    )
    answer = evaluations_submit.sync_detailed(client=client, body=request, wait=30.0, idempotency_key="first")
    finished = a(models.Evaluation, answer.parsed)
    assert (answer.status_code, finished.state, finished.verdict) == (200, "finished", models.Verdict.ACCEPTED)
    assert (finished.score, finished.max_score) == (3.0, 3.0)
    assert answer.headers["Location"] == f"/v1/evaluations/{finished.id}"
    again = evaluations_submit.sync_detailed(client=client, body=request, idempotency_key="first")
    assert (a(models.Evaluation, again.parsed).id, again.headers["Idempotency-Replayed"]) == (finished.id, "true")

    queued = a(models.Evaluation, evaluations_submit.sync(client=client, body=request))
    followed = list(events(client, events_of_evaluation._get_kwargs(queued.id)))
    assert a(models.EvaluationQueued, followed[0]).tests == 2
    last = a(models.EvaluationFinished, followed[-1])
    assert [result.verdict for result in last.tests] == ["accepted", "accepted"]
    assert [event.seq for event in followed] == list(range(1, len(followed) + 1))
    text = a(str, events_of_evaluation.sync(queued.id, client=client, after=last.seq - 1))
    assert f"id: {last.seq}" in text, text
    assert events_of_evaluation.sync_detailed(queued.id, client=client, after=last.seq).status_code == 204

    counting = a(
        models.Evaluation,
        evaluations_submit.sync(
            client=client, body=models.EvaluationRequest(source="count", tests=[models.TestCase(id="endless")])
        ),
    )
    for event in events(client, events_of_evaluation._get_kwargs(counting.id)):
        if isinstance(event, models.EvaluationOutput):
            break
    a(models.Evaluation, evaluations_cancel.sync(counting.id, client=client))
    ended = list(events(client, events_of_evaluation._get_kwargs(counting.id)))[-1]
    assert isinstance(ended, models.EvaluationCancelled)

    page = a(models.PageEvaluation, evaluations_index.sync(client=client, limit=2))
    assert [run.id for run in page.items] == [counting.id, queued.id]
    rest = a(models.PageEvaluation, evaluations_index.sync(client=client, cursor=page.next_cursor))
    assert [run.id for run in rest.items] == [finished.id]
    assert a(models.Evaluation, evaluations_show.sync(finished.id, client=client)).verdict == "accepted"

    wrong = models.EvaluationRequest(source="", tests=[models.TestCase(id="not an id")])
    batch = models.EvaluationBatch(evaluations=[request, wrong])
    rows = a(models.BatchResult, evaluations_submit_batch.sync(client=client, body=batch)).results
    assert [row.status for row in rows] == [202, 422]
    assert a(models.Problem, rows[1].error).field == "tests.0.id"


def train(client: AuthenticatedClient) -> None:
    assert "CartPole-v1" in [env.id for env in a(models.EnvironmentList, environments_index.sync(client=client)).items]
    request = models.TrainingRequest(
        env="CartPole-v1",
        engine=models.TrainingRequestEngine.SIMULATED,
        stop=models.StopCriteria(env_steps=10_000),
        checkpoint=models.CheckpointPlan(every_iterations=2),
        evaluation=models.EvaluationPlan(every_iterations=2, episodes=3),
    )
    a(models.TrainingCheck, trainings_check.sync(client=client, body=request))
    training = a(models.Training, trainings_start.sync(client=client, body=request, idempotency_key="one"))
    followed = list(events(client, events_of_training._get_kwargs(training.id)))
    assert a(models.TrainingSucceeded, followed[-1]).progress.env_steps >= 10_000
    saved = [event.checkpoint for event in followed if isinstance(event, models.TrainingCheckpointSaved)]
    done = a(models.Training, trainings_show.sync(training.id, client=client))
    assert (done.state, done.request.env, done.simulated) == ("succeeded", "CartPole-v1", True)
    tag = trainings_show.sync_detailed(training.id, client=client).headers["ETag"]
    assert trainings_show.sync_detailed(training.id, client=client, if_none_match=tag).status_code == 304
    assert a(models.PageTraining, trainings_index.sync(client=client)).items[0].id == training.id
    series = a(
        models.MetricSeries, trainings_metrics.sync(training.id, client=client, names="rollout/episode_return_mean")
    )
    assert len(series.metrics.additional_properties["rollout/episode_return_mean"]) == len(series.iteration) > 2

    checkpoints = a(models.CheckpointList, checkpoints_index.sync(training.id, client=client)).items
    assert {checkpoint.id for checkpoint in checkpoints} <= {checkpoint.id for checkpoint in saved}
    archive = a(File, checkpoints_download.sync(checkpoints[-1].id, client=client))
    with tarfile.open(fileobj=io.BytesIO(archive.payload.read())) as tar:
        assert any(name.startswith(checkpoints[-1].id) for name in tar.getnames())

    published = policies_publish.sync(
        client=client, body=models.PolicyRequest(training_id=training.id, name="cart pole"), idempotency_key="two"
    )
    policy = a(models.PolicyInfo, published)
    body = models.ActRequest(observations=[[0.0, 0.0, 0.1, 0.0], [0.0, 0.0, -0.1, 0.0]])
    assert a(models.Actions, policies_act.sync(policy.id, client=client, body=body)).actions == [1, 0]
    assert a(models.PolicyInfo, policies_show.sync(policy.id, client=client)).action_space.n == 2
    onnx = a(File, policies_download.sync(policy.id, client=client)).payload.read()
    packed = a(
        File, policies_download.sync(policy.id, client=client, format_=models.PoliciesDownloadFormat.TAR)
    ).payload.read()
    assert onnx
    assert packed
    assert onnx != packed
    assert [known.id for known in a(models.PagePolicyInfo, policies_index.sync(client=client)).items] == [policy.id]
    assert a(models.PolicyInfo, policies_delete.sync(policy.id, client=client)).state == "deleted"
    assert checkpoints_delete.sync_detailed(checkpoints[0].id, client=client).status_code == 204


def steer(client: AuthenticatedClient) -> None:
    request = models.TrainingRequest(
        env="CartPole-v1",
        engine=models.TrainingRequestEngine.SIMULATED,
        env_config=models.TrainingRequestEnvConfig.from_dict({"simulated_iteration_s": 0.01}),
        stop=models.StopCriteria(env_steps=10**9),
    )
    training = a(models.Training, trainings_start.sync(client=client, body=request))
    for event in events(client, events_of_training._get_kwargs(training.id)):
        if isinstance(event, models.TrainingStarted):
            a(models.Training, trainings_pause.sync(training.id, client=client))
        if isinstance(event, models.TrainingPaused):
            a(models.Training, trainings_resume.sync(training.id, client=client))
        if isinstance(event, models.TrainingResumed):
            a(models.Training, trainings_stop.sync(training.id, client=client))
    assert isinstance(event, models.TrainingStopped)


def administer(client: AuthenticatedClient) -> None:
    assert a(models.WhoAmI, access_whoami.sync(client=client)).tenant == "course"
    made = a(
        models.KeyCreated,
        access_create_key.sync(client=client, body=models.KeyRequest(name="x", role=models.Role.LEARNER)),
    )
    assert a(models.KeyInfo, access_revoke_key.sync(made.key.id, client=client)).revoked_at is not None
    a(models.Ticket, access_create_ticket.sync(client=client, body=models.TicketRequest()))
    assert a(models.Usage, usage_show_usage.sync(client=client)).trainings_today == 2
    a(models.TenantQuotas, usage_show_quotas.sync("course", client=client))
    hook = a(
        models.WebhookCreated, webhooks_create.sync(client=client, body=models.WebhookRequest(url="https://x.example/"))
    )
    assert len(a(models.WebhookList, webhooks_index.sync(client=client)).items) == 1
    a(models.WebhookCreated, webhooks_rotate.sync(hook.webhook.id, client=client, body=models.WebhookRotation()))
    a(models.DeliveryList, webhooks_deliveries.sync(hook.webhook.id, client=client))
    a(models.Webhook, webhooks_delete.sync(hook.webhook.id, client=client))
    a(models.Health, health_healthz.sync(client=client))
    a(models.Readiness, health_readyz.sync(client=client))
    assert a(models.Problem, live_connect.sync(client=client)).code == "upgrade_required"
    missing = a(models.Problem, trainings_show.sync("train_nothing", client=client))
    assert (missing.code, missing.status, missing.retryable) == ("not_found", 404, False)


if __name__ == "__main__":
    url, key = sys.argv[1:]
    with AuthenticatedClient(base_url=url, token=key, raise_on_unexpected_status=True) as connected:
        evaluate(connected)
        train(connected)
        steer(connected)
        administer(connected)
