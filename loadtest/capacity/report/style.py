"""What this page's plots add to the style of the others."""

from pages.palette import HUES

RULES = """
.spot{fill:var(--hue-1);stroke:var(--surface);stroke-width:1.2}
.spot.bound{fill:var(--surface);stroke:var(--muted);stroke-width:1.4;stroke-dasharray:2 2}
.wanted{stroke:var(--alarm);stroke-width:1.3;stroke-dasharray:6 4;fill:none}
.knee{stroke:var(--good);stroke-width:2;fill:none}
.band{fill:var(--good);fill-opacity:.13;stroke:none}
.drawing .strong{fill:var(--good);font-weight:650;paint-order:stroke;stroke:var(--surface);stroke-width:4px}
.law{stroke:var(--good);stroke-width:2;fill:none}.law.beyond{stroke-dasharray:6 5}
.due{stroke:var(--hue-2);stroke-width:1.4;fill:none}
.rate-area.bound{fill:var(--muted)}
.quiet{color:var(--muted)}
pre{overflow-x:auto;margin:0;padding:12px 14px;background:var(--well);border:1px solid var(--line);border-radius:8px}
.facts pre{white-space:pre-wrap}
section>h3{margin-top:22px;font-size:14.5px;color:var(--ink)}
.notes{margin:0;padding-left:20px}
""" + "".join(
    f".drawing .ink-{hue}{{fill:var(--hue-{hue});font-weight:650}}.fill-{hue}{{fill:var(--hue-{hue})}}"
    for hue in range(1, HUES + 1)
)
