/** The frame around every page: navigation, connection, what is the matter with the platform. */
import { useEffect, useRef, useState } from "preact/hooks";
import { ComparePage } from "./pages/compare";
import { AssignmentPage } from "./pages/course/assignment";
import { AssignmentsPage } from "./pages/course/list";
import { PeoplePage } from "./pages/course/people";
import { EvaluatePage } from "./pages/evaluate";
import { EvaluationPage } from "./pages/evaluation";
import { NewStudyPage } from "./pages/new-study";
import { RunsPage } from "./pages/runs";
import { SignInPage } from "./pages/sign-in";
import { StudiesPage } from "./pages/studies";
import { StudyPage } from "./pages/study";
import { TrainPage } from "./pages/train";
import { TrainingPage } from "./pages/training";
import { Connection } from "./parts/connection";
import { Heading } from "./parts/heading";
import { type Route, route } from "./router";
import { asking, evaluatesFreely, home, may, signedIn, signOut } from "./session";
import { scheme, toggle } from "./theme";
import type { Readiness } from "./types";

const always = () => true;
const trains = () => may("train");
const NAVIGATION: [page: string, label: string, isShown: () => boolean][] = [
  ["runs", "Runs", always],
  ["assignments", "Assignments", always],
  ["evaluate", "Evaluate code", () => evaluatesFreely.value],
  ["train", "Train a policy", trains],
  ["studies", "Studies", trains],
];

export function App() {
  const main = useRef<HTMLElement>(null);
  const { path, query } = route.value;
  return (
    <>
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to the content
      </button>
      <header class="top">
        <a class="brand" href="#/">
          <img src="./favicon.svg" alt="" width="26" height="26" /> rlplatform
        </a>
        {signedIn.value && (
          <nav aria-label="Main">
            {NAVIGATION.filter(([, , isShown]) => isShown()).map(([name, label]) => (
              <a key={name} href={`#/${name}`} aria-current={name === currentOf(path) ? "page" : undefined}>
                {label}
              </a>
            ))}
          </nav>
        )}
        <div class="tools">
          {signedIn.value && <Connection />}
          <button
            type="button"
            class="quiet icon"
            onClick={toggle}
            aria-label={`${other()} theme`}
            title={`${other()} theme`}
          >
            {scheme.value === "dark" ? "☀" : "☾"}
          </button>
          {signedIn.value && (
            <button type="button" class="quiet" onClick={signOut}>
              Sign out
            </button>
          )}
        </div>
      </header>
      {signedIn.value && <Degraded />}
      <main id="main" tabIndex={-1} ref={main}>
        {signedIn.value ? <CurrentPage path={path} query={query} /> : !asking.value && <SignInPage />}
      </main>
    </>
  );
}

const other = () => (scheme.value === "dark" ? "Light" : "Dark");

/** The entry of the navigation that a page belongs to. */
const currentOf = ([page]: readonly string[]) => (page === "people" ? "assignments" : (page ?? home.value));

function CurrentPage({ path: [given, id, section, part], query }: Route) {
  const page = given ?? home.value;
  if (page === null) return <p class="empty">Loading…</p>;
  if (page === "runs") return <RunsPage />;
  if (page === "assignments" && id) {
    return <AssignmentPage key={id} name={id} section={section ?? "work"} id={part} query={query} />;
  }
  if (page === "assignments") return <AssignmentsPage />;
  if (page === "people") return <PeoplePage />;
  if (page === "evaluate") return <EvaluatePage />;
  if (page === "compare") return <ComparePage key={query.toString()} query={query} />;
  if (page === "train") return <TrainPage />;
  if (page === "studies") {
    if (id === "new") return <NewStudyPage />;
    return id ? <StudyPage key={id} id={id} /> : <StudiesPage />;
  }
  if (page === "evaluations" && id) return <EvaluationPage key={id} id={id} />;
  if (page === "trainings" && id) return <TrainingPage key={id} id={id} />;
  return (
    <>
      <Heading title="Not found" />
      <p>
        There is no such page. <a href="#/runs">Go to the runs</a>
      </p>
    </>
  );
}

const LOOK_MS = 15_000;

/** What does not work at present, and why. */
function Degraded() {
  const [found, setFound] = useState<Readiness | null>(null);
  useEffect(() => {
    const look = () =>
      fetch(new URL("readyz", document.baseURI), { cache: "no-store" })
        .then((response) => response.json())
        .then(setFound, () => setFound(null));
    look();
    const timer = setInterval(() => document.hidden || look(), LOOK_MS);
    return () => clearInterval(timer);
  }, []);
  const broken = found?.dependencies?.filter(({ ok }) => !ok) ?? [];
  if (broken.length === 0) return null;
  return (
    <div class="banner" role="status">
      {broken.map(({ name, detail }) => (
        <p key={name}>
          <strong>
            {name === "sandbox" ? "Code cannot be evaluated at the moment" : `The platform's ${name} does not work`}
          </strong>
          {detail && `: ${detail}`}
        </p>
      ))}
    </div>
  );
}
