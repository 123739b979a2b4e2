"""The published decoding, one anchor after the other in plain Python: slow, and independent of what it checks."""

import math


def literal_faces(levels: list, face_score: float = 0.5, overlap: float = 0.3) -> list[list[float]]:
    """`levels`: for each of six levels rows of columns of (probability, dx, dy, dw, dh). Best face first."""
    candidates = []
    for index, level in enumerate(levels):
        stride = 2 ** (index + 2)
        side = stride * 4
        for y, row in enumerate(level):
            for x, (score, dx, dy, dw, dh) in enumerate(row):
                if score > 0.05:
                    centre_x = stride / 2 + x * stride + dx * 0.1 * side
                    centre_y = stride / 2 + y * stride + dy * 0.1 * side
                    width, height = side * math.exp(dw * 0.2), side * math.exp(dh * 0.2)
                    x1, y1 = centre_x - width / 2, centre_y - height / 2
                    candidates.append([x1, y1, x1 + width, y1 + height, score])
    kept: list[list[float]] = []
    for box in sorted(candidates, key=lambda box: -box[4]):
        if all(literal_overlap(box, other) <= overlap for other in kept):
            kept.append(box)
    return [box for box in kept if box[4] > face_score]


def literal_overlap(one: list[float], other: list[float]) -> float:
    width = max(0.0, min(one[2], other[2]) - max(one[0], other[0]) + 1)
    height = max(0.0, min(one[3], other[3]) - max(one[1], other[1]) + 1)
    areas = [(box[2] - box[0] + 1) * (box[3] - box[1] + 1) for box in (one, other)]
    return width * height / (sum(areas) - width * height)
