/** Points that staff have added to a member's grade, or taken away, with the reasons; a form for the next one. */
import { useState } from "preact/hooks";
import { parseNumber } from "../../drafts/submission";
import { dateTime, measure } from "../../format";
import { type FieldError, Problem } from "../../problem";
import { administers, current } from "../../session";
import type { Adjustment, AdjustmentRecord, SubmissionDetail } from "../../types";
import { useSubmit } from "../form";
import { Alert, Field, FormProblem } from "../problem";

interface Props {
  submission: SubmissionDetail;
  reload: () => Promise<void>;
}

export function Adjustments({ submission, reload }: Props) {
  const { adjustments } = submission;
  return (
    <section class="card" aria-labelledby="adjustments">
      <header class="card-head">
        <h2 id="adjustments">Adjustment of the grade</h2>
      </header>
      {adjustments.length > 0 && (
        <ul class="adjustments">
          {adjustments.toReversed().map((one, index) => (
            <Row key={one.at} adjustment={one} holds={index === 0} />
          ))}
        </ul>
      )}
      {administers.value ? (
        <Form submission={submission} reload={reload} />
      ) : (
        adjustments.length === 0 && (
          <p class="empty">None. An administrator of the course can add points or take some away.</p>
        )
      )}
    </section>
  );
}

const signed = (points: number): string => `${points < 0 ? "−" : "+"}${measure(Math.abs(points))}`;

function Row({ adjustment: { points, reason, by, at }, holds }: { adjustment: AdjustmentRecord; holds: boolean }) {
  return (
    <li class={holds ? "" : "replaced"}>
      <strong>{signed(points)}</strong>
      <span>
        {reason}
        <span class="hint">
          {" "}
          <span title={by}>{dateTime(at)}</span>
          {!holds && ", replaced"}
        </span>
      </span>
    </li>
  );
}

function Form({ submission: { assignment, member_id }, reload }: Props) {
  const { api } = current();
  const [points, setPoints] = useState("");
  const [reason, setReason] = useState("");
  const { busy, problem, submit } = useSubmit(
    async () => {
      const errors: FieldError[] = [];
      const request: Adjustment = { points: parseNumber("points", points, errors), reason };
      if (errors.length > 0) throw new Problem("invalid_request", "Not saved yet", errors[0]?.message ?? "", 0, errors);
      return api.put(
        `v1/assignments/${encodeURIComponent(assignment)}/adjustments/${encodeURIComponent(member_id)}`,
        request,
      );
    },
    () => {
      setPoints("");
      setReason("");
      void reload();
    },
  );
  return (
    <FormProblem.Provider value={problem}>
      <form class="pad adjust" onSubmit={submit} noValidate>
        <div class="row">
          <Field
            name="points"
            label="Points to add"
            class="narrow-field"
            hint="Negative to take away; replaces the one before."
          >
            {(control) => (
              <input
                {...control}
                inputMode="decimal"
                value={points}
                onInput={(event) => setPoints(event.currentTarget.value)}
              />
            )}
          </Field>
          <Field name="reason" label="Reason" hint="The learner sees it.">
            {(control) => (
              <input {...control} value={reason} onInput={(event) => setReason(event.currentTarget.value)} />
            )}
          </Field>
        </div>
        <Alert problem={problem} still />
        <div class="actions">
          <button type="submit" class="secondary" disabled={busy}>
            {busy ? "Saving…" : "Adjust the grade"}
          </button>
        </div>
      </form>
    </FormProblem.Provider>
  );
}
