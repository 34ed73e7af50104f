"""How the page looks: one style sheet, in both colour schemes, from wide to narrow and on paper."""

from pages.palette import DARK, HUES, LIGHT, variables

SCHEMES = f""":root{{color-scheme:light dark;{variables(LIGHT)}}}
@media (prefers-color-scheme:dark){{:root{{{variables(DARK)}}}}}"""

PAGE = """
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--ink);
 font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","PingFang SC","Noto Sans CJK SC",sans-serif;
 font-variant-numeric:tabular-nums}
header,main,footer{max-width:1180px;margin:0 auto;padding:0 24px}
header{display:flex;flex-wrap:wrap;justify-content:space-between;gap:4px 24px;padding-top:22px;padding-bottom:18px;
 color:var(--muted);font-size:14px}
.brand strong{color:var(--ink)}
.sign{width:18px;height:18px;margin-right:8px;vertical-align:-3px;fill:var(--accent)}
footer{padding-top:4px;padding-bottom:40px;color:var(--muted);font-size:13px}
section{margin:0 0 20px;border:1px solid var(--line);border-radius:12px;background:var(--surface);padding:24px 26px}
h1{margin:10px 0 8px;font-size:clamp(19px,4.4vw,31px);line-height:1.22;letter-spacing:-.015em;font-weight:650}
h1 span{display:inline-block;white-space:pre-wrap}
h2{margin:0 0 14px;font-size:19px;line-height:1.3;letter-spacing:-.005em;font-weight:650}
h3{margin:0 0 8px;font-size:13px;font-weight:600;color:var(--muted)}
h2+.lead{margin-top:-10px}
p{margin:0 0 12px}
.lead{color:var(--muted);max-width:75ch}
.note{color:var(--muted);font-size:13.5px;margin:12px 0 0;max-width:95ch}
.empty{color:var(--muted);margin:0;padding:18px;border:1px dashed var(--line);border-radius:8px}
.empty+.empty{margin-top:12px}
code{font:0.92em/1.4 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
details{margin-top:14px}
summary{cursor:pointer;color:var(--accent);font-size:14.5px;font-weight:550;padding:4px 0}
summary:focus-visible,.scroll:focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:4px}
"""

VERDICT = """
.verdict{border-left-width:6px;overflow-wrap:anywhere}
.verdict .lead,.verdict .reasons{margin-bottom:0}
.badge{display:inline-flex;align-items:center;gap:8px;margin:0;padding:3px 14px 3px 10px;border-radius:99px;
 font-size:14px;font-weight:650}
.badge-sign{font-weight:800}
.reasons{padding-left:20px;margin-top:10px}
.good{border-left-color:var(--good)}.good .badge{color:var(--good);background:var(--good-soft)}
.warn{border-left-color:var(--warn)}.warn .badge{color:var(--warn);background:var(--warn-soft)}
.verdict.alarm{border-color:var(--alarm)}
.verdict.alarm .badge{color:var(--alarm);background:var(--alarm-soft)}
.verdict.alarm h1,.verdict.alarm .reasons{color:var(--alarm)}
.findings{margin:0;padding-left:20px;color:var(--alarm);overflow-wrap:anywhere}
"""

FIGURES = """
.groups{display:grid;gap:22px}
dl{margin:0}dd{margin:0}
.group dl{display:flex;flex-wrap:wrap;gap:1px;background:var(--line);
 border:1px solid var(--line);border-radius:10px;overflow:hidden}
.figure{flex:1 1 168px;background:var(--surface);padding:13px 16px 12px}
.figure dt{font-size:13.5px;color:var(--muted)}
.value{font-size:25px;line-height:1.25;font-weight:620;letter-spacing:-.015em;overflow-wrap:anywhere}
.aside{font-size:13px;color:var(--muted);font-weight:400}
.figure.alarming{background:var(--alarm-soft)}
.figure.alarming .value,.figure.alarming dt,.figure.alarming .aside{color:var(--alarm)}
.figure.warning{background:var(--warn-soft)}
.figure.warning .value,.figure.warning dt,.figure.warning .aside{color:var(--warn)}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(250px,1fr));gap:14px 28px;overflow-wrap:anywhere}
.facts dt{font-size:13.5px;color:var(--muted)}
"""

TABLES = """
.scroll{overflow-x:auto;margin:0 -6px;padding:0 6px}
table{width:100%;border-collapse:collapse;font-size:14.5px}
caption{text-align:left;color:var(--muted);font-size:13.5px;padding:2px 0 6px}
th,td{padding:8px 12px;text-align:left;vertical-align:middle;border-bottom:1px solid var(--line)}
th:first-child,td:first-child{padding-left:2px}th:last-child,td:last-child{padding-right:2px}
tbody tr:last-child>*{border-bottom:0}
thead th{font-size:13px;font-weight:600;color:var(--muted);vertical-align:bottom;line-height:1.3}
tbody th{font-weight:500;min-width:112px}td:not(.number){min-width:120px}
td.number{text-align:right;white-space:nowrap}th.number{text-align:right}
.named{display:grid}
tr.alarming>*{color:var(--alarm);background:var(--alarm-soft);font-weight:650}
.bar{display:flex;align-items:center;gap:10px;min-width:clamp(130px,19vw,230px)}
.bar-track{flex:1;height:9px;border-radius:5px;background:var(--line);overflow:hidden}
.bar-fill{display:block;height:100%;min-width:2px;border-radius:5px;background:var(--accent)}
.bar-fill.best{background:var(--good)}.bar-fill.rest{background:var(--muted)}.bar-fill.alarm{background:var(--alarm)}
.bar-words{flex:0 0 auto;min-width:64px;text-align:right;white-space:nowrap}
"""

DRAWINGS = """
.drawing{display:block;width:100%;height:auto;overflow:visible;font-size:12px}
.drawing text{fill:var(--ink)}
.drawing .tick,.drawing .axis,.drawing .legend{fill:var(--muted)}
.drawing .aside{fill:var(--muted)}
.grid,.base{stroke:var(--line);fill:none}.base{stroke:var(--muted)}
.ground{fill:var(--well);stroke:var(--line)}
.flow{fill:none;stroke:var(--flow);stroke-opacity:.5;stroke-linecap:round}
.city{fill:var(--city);fill-opacity:.5;stroke:var(--city);stroke-width:.8}
.site{stroke:var(--surface);stroke-width:1.3;stroke-linejoin:round}
.site-dc{fill:var(--ink)}.site-store{fill:var(--hue-3)}.site-supplier{fill:var(--hue-4)}
.site-third_party{fill:var(--hue-5)}.site-other{fill:var(--hue-6)}
.flow:hover{stroke-opacity:1}.city:hover,.site:hover{stroke:var(--ink);stroke-width:2}
.drawing .site-name,.drawing .city-name{paint-order:stroke;stroke:var(--well);stroke-width:3px;
 stroke-linejoin:round;pointer-events:none}
.site-name{font-weight:650}.drawing .city-name{fill:var(--muted)}
.region{fill:var(--city);fill-opacity:.32;stroke:var(--city);stroke-width:.6}
.region.short{fill:var(--alarm);stroke:var(--alarm);fill-opacity:.45}
.stock{fill:var(--accent);fill-opacity:.62;stroke:var(--surface);stroke-width:1.2}
.moved{fill:none;stroke:var(--hue-3);stroke-opacity:.62;stroke-linecap:round}.moved:hover{stroke-opacity:1}
.down{stroke:var(--alarm);stroke-width:3.4;stroke-linecap:round;fill:none}
.region:hover,.stock:hover{stroke:var(--ink);stroke-width:2}
.drawing .panel{font-weight:650;font-size:14px}
.leader{stroke:var(--muted);stroke-width:.9;fill:none}
.lines path{fill:none;stroke:currentColor;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
.lines .dashed path{stroke-dasharray:6 4.5}
.lines .leader{stroke-width:1;stroke-opacity:.55;stroke-dasharray:none!important}
.lines circle{fill:var(--surface);stroke:currentColor;stroke-width:2}
.lines:hover g{opacity:.18}.lines g:hover{opacity:1}
.rate-area{fill:var(--accent);fill-opacity:.13}.rate{fill:none;stroke:var(--accent);stroke-width:2}
.rate-dot{fill:var(--accent);stroke:var(--surface);stroke-width:1.5}
.mean{stroke:var(--muted);stroke-width:1.4;stroke-dasharray:3 4}
.only-wide+.only-middle,.only-narrow{display:none}
"""

LAYOUTS = """
@media (max-width:1000px){.only-wide,.only-narrow{display:none}.only-wide+.only-middle{display:block}}
@media (max-width:640px){.only-wide,.only-wide+.only-middle{display:none}.only-narrow{display:block}
 header,main,footer{padding-left:12px;padding-right:12px}section{padding:18px 14px;border-radius:10px}
 .value{font-size:21px}th,td{padding:8px 7px}.figure{flex-basis:44%;padding:11px 12px}}
@media print{body{background:none}section{break-inside:avoid}.scroll{overflow:visible}}
"""

RULES = (
    SCHEMES
    + PAGE
    + VERDICT
    + FIGURES
    + TABLES
    + DRAWINGS
    + "".join(f".hue-{hue}{{color:var(--hue-{hue})}}" for hue in range(1, HUES + 1))
    + LAYOUTS
)
