/** What can be trained: to choose from, and what is known of the one chosen. */
import { OTHER } from "../drafts/training";
import { count } from "../format";
import type { Environment } from "../types";

export function Environments({ environments, chosen }: { environments: Environment[]; chosen: string }) {
  const tuned = environments.filter(({ preset }) => preset);
  const others = environments.filter(({ preset }) => !preset);
  const known = chosen === OTHER || environments.some(({ id }) => id === chosen);
  const group = (label: string, found: Environment[]) =>
    found.length > 0 && (
      <optgroup label={label}>
        {found.map(({ id }) => (
          <option key={id}>{id}</option>
        ))}
      </optgroup>
    );
  return (
    <>
      {!known && <option>{chosen}</option>}
      {group("With a preset", tuned)}
      {group("Others", others)}
      <option value={OTHER}>Another id…</option>
    </>
  );
}

export function Facts({ environment }: { environment: Environment | undefined }) {
  if (!environment) return null;
  const facts = [
    ["Observations", environment.observation_space],
    ["Actions", environment.action_space],
    ["Stepped by", environment.backend === "envpool" ? "EnvPool" : "Gymnasium"],
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
