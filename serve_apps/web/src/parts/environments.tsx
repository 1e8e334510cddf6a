/** What is known of the chosen environment. */
import { count } from "../format";
import type { EnvironmentInfo } from "../types";

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
