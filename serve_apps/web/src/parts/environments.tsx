/** Choosing an environment, and what is known of the chosen one. */
import { count } from "../format";
import type { EnvironmentInfo } from "../types";
import type { Control } from "./problem";

interface InputProps {
  control: Control;
  environments: EnvironmentInfo[];
  chosen: string;
  onChange: (env: string) => void;
}

/** A text field that suggests the listed environments: typing searches them, and any other id is taken, too. */
export function EnvironmentInput({ control, environments, chosen, onChange }: InputProps) {
  return (
    <>
      <input
        {...control}
        list="environment-ids"
        autocomplete="off"
        spellcheck={false}
        value={chosen}
        // the browser suggests what matches the text: selected, it is replaced by what is typed
        onFocus={(event) => event.currentTarget.select()}
        onInput={(event) => onChange(event.currentTarget.value)}
      />
      <datalist id="environment-ids">
        {environments.map(({ id, preset }) => (
          <option key={id} value={id} label={preset ? "tuned preset" : undefined} />
        ))}
      </datalist>
    </>
  );
}

export function Facts({ environment }: { environment: EnvironmentInfo | undefined }) {
  if (!environment) return null;
  const facts = [
    ["Observations", environment.observation_space],
    ["Actions", environment.action_space],
    ["Stepped by", environment.backend === "envpool" ? "EnvPool" : "Gymnasium"],
    ["Preset", environment.preset ? "tuned" : "none: Stable-Baselines3's defaults"],
    ["Longest episode", environment.max_episode_steps ? `${count(environment.max_episode_steps)} steps` : "no limit"],
  ];
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
