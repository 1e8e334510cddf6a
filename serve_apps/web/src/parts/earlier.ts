/** Earlier trainings that a link asks to continue or to clone. */
import { useEffect, useState } from "preact/hooks";
import { cloneOf, continuation } from "../drafts/earlier";
import type { TrainingDraft } from "../drafts/training";
import { shortId } from "../format";
import { Problem } from "../problem";
import { route } from "../router";
import { current } from "../session";
import type { CheckpointInfo, Training } from "../types";

/**
 * `#/train?continue=train_…`, with `&checkpoint=ckpt_…` or from the newest one, and `#/train?clone=train_…`: the draft
 * becomes that of the training, with more to do or from the beginning.
 */
export function useEarlier(change: (changes: Partial<TrainingDraft>) => void) {
  const { api } = current();
  const { query } = route.value;
  const [lost, setLost] = useState<Problem | null>(null);
  const [cloned, setCloned] = useState<string | null>(null);
  useEffect(() => {
    const [parent, clone] = [query.get("continue"), query.get("clone")];
    const id = parent ?? clone;
    if (!id) return;
    const path = `v1/trainings/${encodeURIComponent(id)}`;
    const read = async () => {
      const training = await api.get<Training>(path);
      if (!parent) {
        change(cloneOf(training));
        setCloned(training.id);
        return;
      }
      const { items } = await api.get<{ items: CheckpointInfo[] }>(`${path}/checkpoints`);
      change(continuation(training, chosenCheckpoint(items, query.get("checkpoint"), training)));
    };
    read()
      .catch((error) => setLost(Problem.of(error)))
      // the draft holds it from now on: coming back to this entry of the history changes nothing
      .finally(() => window.history.replaceState(null, "", "#/train"));
  }, [query]);
  return { lost, cloned };
}

/** The checkpoint with `id`, or the newest one. */
function chosenCheckpoint(items: CheckpointInfo[], id: string | null, training: Training): CheckpointInfo {
  const found = id ? items.find((item) => item.id === id) : items.at(-1);
  if (found) return found;
  const detail = id
    ? `${id} has been deleted. Continue from another checkpoint of the training.`
    : `${shortId(training.id)} has kept no checkpoint to continue from. Train with its settings from the beginning.`;
  throw new Problem("not_found", "The checkpoint is gone", detail);
}
