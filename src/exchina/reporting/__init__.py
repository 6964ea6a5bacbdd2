"""Documents for people and for machines: sections compose a document, a renderer prints it as PDF and HTML.

A report section is one function in one file of `exchina.reporting.sections`: ``(parts, *, settings) -> blocks``.
A layout (``reports/layouts/*.toml``) names the sections in order, with their settings.
"""

from exchina.plugins import Register

section = Register("report section", "exchina.reporting.sections")
