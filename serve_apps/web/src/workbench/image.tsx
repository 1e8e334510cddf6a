/** The image that a program runs in, and the packages that it can import there. */
import { useEffect, useState } from "preact/hooks";
import { Field } from "../parts/problem";
import { current } from "../session";
import type { ImageInfo, ImageList } from "../types";

interface Props {
  /** Name of the image; empty: the platform's default. */
  value: string;
  onChange: (name: string) => void;
}

export function ImageField({ value, onChange }: Props) {
  const images = useImages();
  const standard = images?.find((image) => image.default);
  const chosen = images?.find((image) => (value === "" ? image.default : image.name === value));
  const names = [...new Set(images?.map(({ name }) => name))].filter((name) => name !== standard?.name);
  if (value !== "" && value !== standard?.name && !names.includes(value)) names.push(value);
  return (
    <div class="image">
      <Field name="image" label="Image">
        {(control) => (
          <select
            {...control}
            value={value === standard?.name ? "" : value}
            onChange={(event) => onChange(event.currentTarget.value)}
          >
            <option value="">{standard ? `${standard.name} (default)` : "default"}</option>
            {names.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        )}
      </Field>
      {chosen && <Packages image={chosen} />}
    </div>
  );
}

function Packages({ image: { packages = {} } }: { image: ImageInfo }) {
  const found = Object.entries(packages).sort(([one], [other]) => one.localeCompare(other));
  if (found.length === 0) return <p class="hint">The standard library alone.</p>;
  return (
    <details class="packages">
      <summary>{found.length === 1 ? "1 package" : `${found.length} packages`}</summary>
      <ul>
        {found.map(([name, version]) => (
          <li key={name}>
            {name} <span class="hint">{version}</span>
          </li>
        ))}
      </ul>
    </details>
  );
}

/** Images that exist; null until they are known, and if they cannot be read: the default needs no list. */
function useImages(): ImageInfo[] | null {
  const { api } = current();
  const [images, setImages] = useState<ImageInfo[] | null>(null);
  useEffect(() => {
    let left = false;
    api.get<ImageList>("v1/images").then(
      ({ items }) => left || setImages(items),
      () => {},
    );
    return () => {
      left = true;
    };
  }, [api]);
  return images;
}
