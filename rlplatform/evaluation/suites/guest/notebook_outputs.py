"""Outputs of a cell, as a notebook's file keeps them: text, values, figures and errors, within limits."""

from __future__ import annotations

import base64
import io
import sys
from typing import Any

MAX_TEXT = 64 << 10
"""Characters of text that are kept of a cell."""
MAX_RICH = 512 << 10
"""Characters of HTML and of images that are kept of a cell."""
_CUT = "\n… (the rest of the output is left out)\n"
_FORMATS = (("_repr_html_", "text/html"), ("_repr_svg_", "image/svg+xml"), ("_repr_png_", "image/png"))


class Outputs:
    """Outputs of the cell that is executed."""

    def __init__(self) -> None:
        self.found: list[dict[str, Any]] = []
        self._text = self._rich = 0

    def write(self, name: str, text: str) -> None:
        """Add text of the stream ``name``."""
        if not (kept := self._take(text)):
            return
        last = self.found[-1] if self.found else {}
        if last.get("name") == name:
            last["text"] += kept
        else:
            self.found.append({"output_type": "stream", "name": name, "text": kept})

    def show(self, value: object, number: int | None = None) -> None:
        """Add a value: the last one of cell ``number``, or None for one that is displayed on the way."""
        data: dict[str, str] = {"text/plain": self._take(repr(value))}
        for method, media_type in _FORMATS:
            text = _rich(value, method)
            if text is not None and self._rich + len(text) <= MAX_RICH:
                self._rich += len(text)
                data[media_type] = text
        self.add(data, number)

    def add(self, data: dict[str, str], number: int | None = None) -> None:
        """Add a value by its representations."""
        output: dict[str, Any] = {"output_type": "display_data", "data": data, "metadata": {}}
        if number is not None:
            output |= {"output_type": "execute_result", "execution_count": number}
        self.found.append(output)

    def fail(self, name: str, text: str, trace: str) -> None:
        """Add an error."""
        lines = self._take(trace).split("\n")
        self.found.append({"output_type": "error", "ename": name, "evalue": text, "traceback": lines})

    def show_figures(self) -> None:
        """Add the open figures of Matplotlib, and close them."""
        pyplot = sys.modules.get("matplotlib.pyplot")
        if pyplot is None:
            return
        for number in pyplot.get_fignums():
            drawn = io.BytesIO()
            pyplot.figure(number).savefig(drawn, format="png", bbox_inches="tight")
            text = base64.b64encode(drawn.getvalue()).decode()
            if self._rich + len(text) <= MAX_RICH:
                self._rich += len(text)
                self.add({"image/png": text, "text/plain": "<Figure>"})
        pyplot.close("all")

    def _take(self, text: str) -> str:
        left = MAX_TEXT - self._text
        if left <= 0:
            return ""
        self._text += len(text)
        return text if len(text) <= left else text[:left] + _CUT


class Stream(io.TextIOBase):
    """``sys.stdout`` or ``sys.stderr`` of a notebook."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.outputs = Outputs()

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.outputs.write(self._name, str(text))
        return len(text)


def _rich(value: object, method: str) -> str | None:
    if isinstance(value, type):
        return None
    try:
        found = getattr(value, method)()
    except Exception:
        return None
    if isinstance(found, bytes):
        return base64.b64encode(found).decode()
    return found if isinstance(found, str) else None
