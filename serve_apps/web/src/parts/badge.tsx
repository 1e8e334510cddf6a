/** States and verdicts: a word, a sign and a colour, never the colour alone. */
import { words } from "../format";
import type { Evaluation, StudyState, TrainingState, TrialState, Verdict } from "../types";

type State = Evaluation["state"] | TrainingState | StudyState | TrialState;
type Tone = "good" | "bad" | "busy" | "warn" | "calm";

const STATES: Record<State, [Tone, string]> = {
  queued: ["calm", "○"],
  starting: ["busy", "◔"],
  running: ["busy", "●"],
  paused: ["warn", "‖"],
  interrupted: ["warn", "↻"],
  succeeded: ["good", "✓"],
  finished: ["calm", "✓"],
  stopped: ["calm", "■"],
  cancelled: ["calm", "–"],
  failed: ["bad", "!"],
  completed: ["good", "✓"],
  pruned: ["calm", "✂"],
  cut_short: ["calm", "◑"],
};

const VERDICTS: Partial<Record<Verdict, [Tone, string]>> = {
  accepted: ["good", "✓"],
  skipped: ["calm", "–"],
  cancelled: ["calm", "–"],
  internal_error: ["warn", "!"],
};

export function StateBadge({ state }: { state: State }) {
  const [tone, sign] = STATES[state];
  return <Badge tone={tone} sign={sign} text={words(state)} />;
}

export function VerdictBadge({ verdict }: { verdict: Verdict }) {
  const [tone, sign] = VERDICTS[verdict] ?? ["bad", "✕"];
  return <Badge tone={tone} sign={sign} text={words(verdict)} />;
}

export function Simulated() {
  return (
    <span class="badge simulated" title="The simulated engine trains nothing: its curve is made up from the seed.">
      simulated
    </span>
  );
}

export function Badge({ tone, sign, text }: { tone: Tone; sign: string; text: string }) {
  return (
    <span class={`badge ${tone}`}>
      <span class="sign" aria-hidden="true">
        {sign}
      </span>
      {text}
    </span>
  );
}
