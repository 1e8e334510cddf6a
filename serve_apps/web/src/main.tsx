import { render } from "preact";
import { App } from "./app";
import { listen } from "./router";
import { begin } from "./session";
import "./styles/base.css";
import "./styles/layout.css";
import "./styles/parts.css";
import "./styles/course.css";
import { follow } from "./theme";

begin();
follow();
listen();
const root = document.getElementById("app");
if (root) render(<App />, root);
