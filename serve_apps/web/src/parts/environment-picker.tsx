/** A text field with a list of environments below it: typing searches the list, and any other id is accepted, too. */
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { matching } from "../drafts/environments";
import { pictureOf } from "../drafts/pictures";
import { count } from "../format";
import type { EnvironmentInfo } from "../types";
import type { Control } from "./problem";

interface Props {
  control: Control;
  environments: EnvironmentInfo[];
  chosen: string;
  onChange: (env: string) => void;
}

const MOST = 60;

export function EnvironmentPicker({ control, environments, chosen, onChange }: Props) {
  const list = useId();
  const box = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState(false);
  /** What is typed since the list was opened; null: nothing, so the list has all. */
  const [typed, setTyped] = useState<string | null>(null);
  const [active, setActive] = useState(-1);
  const found = matching(environments, typed ?? "");
  const shown = found.slice(0, MOST);
  const expanded = open && shown.length > 0;
  useEffect(() => {
    if (expanded) box.current?.querySelector("[data-active]")?.scrollIntoView({ block: "nearest" });
  }, [active, expanded]);
  const show = () => {
    if (open) return;
    setOpen(true);
    setTyped(null);
    setActive(matching(environments, "").findIndex(({ id }) => id === chosen));
  };
  const hide = () => {
    setOpen(false);
    setActive(-1);
  };
  const choose = (environment: EnvironmentInfo | undefined) => {
    if (environment) onChange(environment.id);
    hide();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const last = shown.length - 1;
    const to = { ArrowDown: active >= last ? 0 : active + 1, ArrowUp: active <= 0 ? last : active - 1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      if (open) setActive(to);
      else show();
    } else if (event.key === "Enter" && expanded && active >= 0) {
      event.preventDefault();
      choose(shown[active]);
    } else if (event.key === "Escape" && expanded) {
      event.preventDefault();
      hide();
    }
  };
  return (
    <div class="picker">
      <input
        {...control}
        role="combobox"
        aria-expanded={expanded}
        aria-controls={list}
        aria-autocomplete="list"
        aria-activedescendant={expanded && active >= 0 ? `${list}-${active}` : undefined}
        autocomplete="off"
        spellcheck={false}
        value={chosen}
        // selected, the text is replaced by what is typed
        onFocus={(event) => event.currentTarget.select()}
        onClick={show}
        onBlur={hide}
        onKeyDown={onKeyDown}
        onInput={(event) => {
          const text = event.currentTarget.value;
          onChange(text);
          setTyped(text);
          setActive(-1);
          setOpen(true);
        }}
      />
      <div class="options" ref={box} id={list} role="listbox" aria-label="Environments" hidden={!expanded}>
        {expanded &&
          shown.map((environment, index) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the text field, which keeps the focus
            <div
              key={environment.id}
              id={`${list}-${index}`}
              role="option"
              tabIndex={-1}
              aria-selected={environment.id === chosen}
              data-active={index === active || undefined}
              // the field keeps the focus, so that the list stays until the click has come
              onPointerDown={(event) => event.preventDefault()}
              onClick={() => choose(environment)}
            >
              <Picture env={environment.id} />
              <b>{environment.name ?? environment.id}</b>
              <span class="hint">{about(environment)}</span>
              {environment.backend === "sandbox" && <span class="badge busy">yours</span>}
              {environment.preset && (
                <span class="badge good">
                  {environment.preset_env_steps ? `tuned, ${steps(environment.preset_env_steps)} steps` : "tuned"}
                </span>
              )}
            </div>
          ))}
        {expanded && found.length > MOST && (
          <div class="hint more" role="presentation">
            {count(found.length - MOST)} more: type to search.
          </div>
        )}
      </div>
    </div>
  );
}

/** A picture, or the room of one, so that names stand in one column. */
function Picture({ env }: { env: string }) {
  const address = pictureOf(env);
  return <span class="picture">{address && <img src={address} alt="" width="48" height="32" loading="lazy" />}</span>;
}

const about = ({ id, name, action_space: action, observation_space: observation }: EnvironmentInfo): string =>
  [name ? id : "", observation, action].filter(Boolean).join(" · ");

const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const steps = (value: number): string => short.format(value);
