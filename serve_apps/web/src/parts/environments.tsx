/** What is known of the chosen environment. */
import { count } from "../format";
import type { EnvironmentInfo } from "../types";

const STEPPED_BY: Record<EnvironmentInfo["backend"], string> = {
  envpool: "EnvPool",
  gymnasium: "Gymnasium",
  sandbox: "a sandbox: it was uploaded",
};

export function Facts({ environment }: { environment: EnvironmentInfo | undefined }) {
  if (!environment) return null;
  const facts = [
    ...(environment.name ? [["Name", environment.name]] : []),
    ["Observations", environment.observation_space],
    ["Actions", environment.action_space],
    ["Stepped by", STEPPED_BY[environment.backend]],
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
