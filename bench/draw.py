"""draw.py - one page of plots, SVG without a library: a small chart of bars for every figure.

Bars are medians on a linear axis that begins at zero; whiskers the least and the most of the runs;
a red line is what crdtsync has set itself to reach.
"""
from xml.sax.saxutils import escape

COLUMNS, WIDTH, ROW, HEAD, GAP = 2, 470, 20, 44, 18
LABEL, BAR = 150, 230  # pixels of a tool's name, and of the longest bar
OURS, THEIRS, GOAL = "#1b6e4b", "#9aa5b1", "#c0392b"


def text(x, y, words, size=12, anchor="start", weight="normal", fill="#222"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" '
            f'font-weight="{weight}" fill="{fill}">{escape(str(words))}</text>')


def line(x1, y1, x2, y2, color, width=1):
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
            f'stroke="{color}" stroke-width="{width}"/>')


def goal_of(row):
    if row["goal"] is None:
        return None
    if row["reference"] is None:
        return row["goal"]
    base = row["median"].get(row["reference"])
    return None if base is None else row["goal"] * base


def chart(row, left, top):
    """The SVG of one figure, its upper left corner at (left, top)."""
    goal = goal_of(row)
    most = max([max(values) for values in row["samples"].values()] + [goal or 0]) or 1
    scale, out = BAR / most, [text(left, top + 14, row["title"], 13, weight="bold")]
    out.append(text(left, top + 30, f"{row['line']}, {row['unit']}", 10, fill="#666"))
    y = top + HEAD
    for name, values in row["samples"].items():
        median, x = row["median"][name], left + LABEL
        middle = y + ROW / 2 - 1
        out.append(text(x - 6, y + 13, name, 11, "end"))
        out.append(f'<rect x="{x}" y="{y + 2}" width="{median * scale:.1f}" height="{ROW - 6}" '
                   f'fill="{OURS if name == "crdtsync" else THEIRS}"/>')
        out.append(line(x + min(values) * scale, middle, x + max(values) * scale, middle, "#222"))
        out.append(text(x + max(max(values), median) * scale + 5, y + 13, f"{median:.3g}", 11))
        y += ROW
    if goal is not None:
        x = left + LABEL + goal * scale
        out.append(line(x, top + HEAD - 4, x, y, GOAL, 1.5))
    return out


def height(row):
    return HEAD + ROW * len(row["samples"]) + GAP


def page(about, rows):
    rows = [row for row in rows if row["samples"]]
    ends, out = [64.0] * COLUMNS, []
    for row in rows:
        column = ends.index(min(ends))
        out += chart(row, 20 + column * WIDTH, ends[column])
        ends[column] += height(row)
    head = [text(20, 26, f"crdtsync {about['commit']} beside other tools, {about['date']}", 17,
                 weight="bold"),
            text(20, 46, f"{about['cores']} x {about['cpu']}, Linux {about['kernel']}; both ends on "
                 "one machine; medians, least and most; red: the goal", 11, fill="#666")]
    wide, high = 20 + COLUMNS * WIDTH, max(ends) + 10
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high:.0f}" '
        f'viewBox="0 0 {wide} {high:.0f}" font-family="DejaVu Sans, sans-serif">',
        f'<rect width="{wide}" height="{high:.0f}" fill="white"/>', *head, *out, "</svg>"]) + "\n"
