"""The colours of the page, by role, for light and dark. tests/loadtest/test_report.py reckons their contrast."""

LIGHT = {
    "page": "#f3f5f8",
    "surface": "#ffffff",
    "well": "#f7f9fb",
    "line": "#dfe4ea",
    "ink": "#17202b",
    "muted": "#556171",
    "accent": "#1f66a8",
    "good": "#1d6f42",
    "good-soft": "#e8f4ec",
    "warn": "#8a5300",
    "warn-soft": "#fdf3e0",
    "alarm": "#b3261e",
    "alarm-soft": "#fdeceb",
    "flow": "#3a78b5",
    "city": "#c2701c",
    "hue-1": "#1f6fb2",
    "hue-2": "#b85c00",
    "hue-3": "#2b7a3d",
    "hue-4": "#7a4fb3",
    "hue-5": "#b8336a",
    "hue-6": "#007584",
}

DARK = {
    "page": "#0e1319",
    "surface": "#161d25",
    "well": "#111820",
    "line": "#2a343f",
    "ink": "#e7ecf1",
    "muted": "#9eabb9",
    "accent": "#74b4ee",
    "good": "#74cf95",
    "good-soft": "#12291c",
    "warn": "#f0b35c",
    "warn-soft": "#2e2310",
    "alarm": "#ff8a80",
    "alarm-soft": "#361615",
    "flow": "#5f9fd8",
    "city": "#e59a4c",
    "hue-1": "#6cb4f0",
    "hue-2": "#f0a35e",
    "hue-3": "#7ccf86",
    "hue-4": "#c3a0f0",
    "hue-5": "#f08bb4",
    "hue-6": "#5cc8d7",
}

HUES = 6
"""How many `hue-N` there are. A seventh line takes the first hue again, dashed."""


def variables(colours: dict[str, str]) -> str:
    """The colours as CSS custom properties: `--ink:#17202b;...`."""
    return "".join(f"--{role}:{colour};" for role, colour in colours.items())
