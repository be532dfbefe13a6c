"""Colours of the maps, in the frame and on paper. The style sheet of the pages has the same. Pure."""

#: Which end of the numbers is bad; "neutral" where neither is.
WORSE, BETTER, NEUTRAL = "ramp-worse", "ramp-better", "ramp-neutral"
_BAD_TO_GOOD = ("#7a1f3d", "#c8553d", "#eab464", "#8fc1b5", "#2f7f79")
_LIGHT_TO_DARK = ("#d5e8e6", "#9fcac6", "#62a5a1", "#2c7d7c", "#0b4a50")
#: c0 … c4, from the smallest numbers to the largest.
RAMPS = {
    WORSE: _BAD_TO_GOOD[::-1],
    BETTER: _BAD_TO_GOOD,
    NEUTRAL: _LIGHT_TO_DARK,
}
#: What is no number, on paper: fill, and the pattern drawn over it.
PLAIN = {
    "zero": ("#dfe6da", None),
    "small": ("#fbe7c3", "dots"),
    "withheld": ("#e6dff0", "hatch"),
    "no_data": ("#e4e1da", "hatch"),
    "none_anywhere": ("#3b2a2f", None),
}
SEA, LAND, SHORE, EDGE, MARK = "#e3ebee", "#f4f1ea", "#b9b2a1", "#ffffff", "#8a8577"

_RAMP_RULES = "".join(
    f".{ramp} .c{at}{{fill:{colour}}}"
    for ramp, colours in RAMPS.items()
    for at, colour in enumerate(colours)
)
#: Style sheet of the frame. Both themes: the ramp stands out against land and sea in each. A brace before # would
#: begin a comment for folium.
STYLES = f"""<style>
:root{{color-scheme:light dark;--sea:{SEA};--land:{LAND};--shore:{SHORE};--edge:{EDGE};--ink:#16202a;--paper:#fff;--zero:#dfe6da;--none:#3b2a2f;--link:#0f5f66}}
@media (prefers-color-scheme:dark){{:root{{--sea:#16232a;--land:#2a3236;--shore:#5c676d;--edge:#12181c;--ink:#eeeae2;--paper:#1a2227;--zero:#3a4347;--none:#f2dfe3;--link:#7fd0d3}}}}
html,body{{margin:0;height:100%}}body>svg{{position:absolute}}
.folium-map.leaflet-container{{background:var(--sea);font:15px/1.5 system-ui,sans-serif}}
path.land{{fill:var(--land);fill-opacity:1;stroke:var(--shore);stroke-width:.8}}
path.shape{{fill-opacity:.92;stroke:var(--edge);stroke-width:.7;stroke-opacity:.9}}
path.shape:hover,path.shape:focus{{stroke:var(--ink);stroke-width:2;outline:0}}
{_RAMP_RULES}
path.zero{{fill:var(--zero)}}path.none_anywhere{{fill:var(--none)}}
path.small{{fill:url(#dots)}}path.withheld,path.no_data{{fill:url(#hatch)}}
path.withheld{{fill-opacity:.75}}
path.plan{{fill:#ffc53d;stroke:#16202a;stroke-width:2}}
#hatch .under{{fill:#d9d5cb}}#hatch .over{{fill:#8a8577}}#dots .under{{fill:#fbe7c3}}#dots .over{{fill:#8a5a00}}
@media (prefers-color-scheme:dark){{ #hatch .under{{fill:#39434a}}#hatch .over{{fill:#6f7a82}}#dots .under{{fill:#4a3a1c}}#dots .over{{fill:#f3c06a}}}}
.leaflet-popup-content-wrapper,.leaflet-popup-tip,.leaflet-tooltip,.leaflet-bar a{{background:var(--paper);color:var(--ink)}}
.leaflet-popup-content a{{display:inline-block;min-height:32px;padding-top:6px;color:var(--link);font-weight:600}}
.leaflet-bar a{{width:44px;height:44px;line-height:44px}}
</style>"""
