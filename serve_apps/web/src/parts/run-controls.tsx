/** Pause, resume and stop a run that has not ended. */
import { useState } from "preact/hooks";
import type { Api } from "../api";
import { Problem } from "../problem";
import { isFinal } from "../runs/list";
import { may } from "../session";
import { Alert } from "./problem";

interface Props {
  api: Api;
  /** Path of the run: `v1/trainings/train_…`. */
  path: string;
  state: string;
  /** Requested and not carried out yet. */
  wish: "pause" | "resume" | "stop" | null;
  noun: "training" | "study";
  /** Consequences of a stop, for people who are about to request one. */
  onStop: string;
}

export function RunControls({ api, path, state, wish, noun, onStop }: Props) {
  const [problem, setProblem] = useState<Problem | null>(null);
  const [asked, setAsked] = useState<string | null>(null);
  const [confirming, setConfirming] = useState(false);
  if (isFinal({ state }) || !may("train")) return null;
  const command = async (name: string) => {
    setAsked(name);
    setProblem(null);
    try {
      await api.post(`${path}/${name}`);
    } catch (error) {
      setProblem(Problem.of(error));
    }
    setAsked(null);
    setConfirming(false);
  };
  const paused = state === "paused" || wish === "pause";
  const stopping = wish === "stop" || asked !== null;
  if (confirming && wish !== "stop") {
    return (
      <div class="controls" role="alertdialog" aria-label={`Stop this ${noun}?`}>
        <p>
          <b>Stop this {noun}?</b> {onStop}
        </p>
        <div class="actions">
          <button type="button" class="danger" disabled={asked !== null} onClick={() => command("stop")}>
            Stop {noun}
          </button>
          <button type="button" class="secondary" ref={focused} onClick={() => setConfirming(false)}>
            Keep {noun}
          </button>
        </div>
        <Alert problem={problem} />
      </div>
    );
  }
  return (
    <div class="controls">
      <div class="actions">
        {paused ? (
          <button type="button" disabled={stopping || wish === "resume"} onClick={() => command("resume")}>
            Resume
          </button>
        ) : (
          <button type="button" class="secondary" disabled={stopping} onClick={() => command("pause")}>
            Pause
          </button>
        )}
        <button type="button" class="danger" disabled={stopping} onClick={() => setConfirming(true)}>
          Stop
        </button>
      </div>
      <Alert problem={problem} />
    </div>
  );
}

const focused = (button: HTMLButtonElement | null) => button?.focus();
