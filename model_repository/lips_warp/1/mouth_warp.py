"""Opens, shuts and shapes a mouth by bending the picture.

Everything above the cut (mouth_read) belongs to the skull: upper lip and upper teeth stay, but for a slight lift of
the lip. Everything below it hangs on the jaw: lower lip and chin go down or up together, less and less towards the
sides and the throat, where the movement fades out. What opens between is filled with a dark mouth in the lip's own
colour, so it follows the light of the picture. To shut an open mouth the lower part slides over what was seen inside,
as a lip does.

All of it is a smooth displacement of the source's own pixels: nothing is painted anew but the inside of the mouth.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from mouth_grid import SIDE_REACH, MouthGrid, Region, between, bump, grid_around, smooth
from mouth_inside import inside_of
from mouth_model import Float32, Mouth, UInt8
from mouth_speech import SpokenMouth

_STILL = 0.004
"""Movements below this (half mouth widths, under a sixth of a pixel) leave the picture exactly as it is."""
_WIDEST_GAP = 0.75
_UPPER_SHARE_LIPS, _UPPER_SHARE_TEETH = 0.22, 0.04
"""Of an opening, what the upper lip gives; with teeth in sight it stays, because the teeth would move with it."""
_UPPER_SHARE_SHUTTING = 0.12
_LIP_FADE_UP = 0.75
"""The upper lip's lift fades out over this height (half mouth widths), below the nose."""
_NARROWS_BY = 0.16
"""A dropping jaw draws the corners in: share of the width lost for each half mouth width of opening."""
_ROUNDING_UP_DOWN = 1.1
"""Height above and below the mouth over which drawing in the corners fades out."""
_GAP_REACH = 0.96
_GAP_ROUNDNESS_LIPS, _GAP_ROUNDNESS_TEETH = 1.0, 1.2
_SHUT_ROUNDNESS = 0.7
"""An open mouth is higher towards its corners than the lens between two parabolas: all of it must be covered."""
_JAW_WIDENS_OVER, _JAW_SHARE = 1.1, 0.72
"""A little below the lip the movement is as wide as the chin, and this share of the lip's."""
_JAW_HOLDS, _JAW_ENDS = 0.85, 2.05
"""The movement is whole down to the first depth below the lip and gone at the second."""
_EDGE_SOFTNESS_PX_AT_256 = 1.8
_TEETH_INSETS = 0.03, 0.07
"""Covered above and below the teeth's lower edge, so that no bright fringe of tooth rides on the lower lip."""
_TEETH_OVERLAP = 0.07
"""By so much more the lower lip slides up when it shuts over teeth: their upper edge is soft, and must not peep out."""
_OPAQUE_FROM_HEIGHT = 0.11
"""A slit lower than this (half mouth widths) shows the lips' own shadow line, stretched, and not yet the inside."""


@dataclass(frozen=True, slots=True)
class _Movement:
    """How far what moves, in half mouth widths."""

    opens: float
    hides_above: float
    """Height of the strip above the cut that is covered."""
    hides_below: float
    lifts: float
    """The upper lip's way up; negative when it comes down."""
    drops: float
    """The lower lip's way down; negative when it comes up."""
    width: float


def warp_mouth(crop: UInt8, mouth: Mouth, spoken: SpokenMouth, region: Region) -> UInt8:
    """Return the RGB crop [s, s, 3] with its mouth as `spoken`; pixels outside `region` are the source's.

    A mouth that needs no movement gives the crop itself back, bit for bit.
    """
    answer = crop.copy()
    opens = min(spoken.opening, _WIDEST_GAP) - mouth.aperture
    if abs(opens) < _STILL and abs(spoken.width - 1.0) < _STILL:
        return answer
    grid = grid_around(len(crop), mouth.frame, region)
    if grid.across.size:
        answer[grid.rows, grid.columns] = _bend(crop, grid, mouth, _movement(mouth, opens, spoken.width))
    return answer


def _movement(mouth: Mouth, opens: float, width: float) -> _Movement:
    if opens >= 0.0:
        above, below = (mouth.teeth * min(inset, 0.4 * opens) for inset in _TEETH_INSETS)
        lifts = opens * between(_UPPER_SHARE_LIPS, _UPPER_SHARE_TEETH, mouth)
        return _Movement(opens, above, below, lifts, opens - lifts - above - below, width - _NARROWS_BY * opens)
    hides = -opens + mouth.teeth * _TEETH_OVERLAP * float(smooth(np.float32(-opens / mouth.aperture)))
    above = hides * mouth.above / mouth.aperture
    lowers = _UPPER_SHARE_SHUTTING * hides
    return _Movement(opens, above, hides - above, -lowers, lowers - hides, width)


def _bend(crop: UInt8, grid: MouthGrid, mouth: Mouth, movement: _Movement) -> UInt8:
    """Both halves of the face, each with its own displacement, joined along the lips over the mouth's inside."""
    across = _rounded(grid, movement.width)
    lens = np.maximum(1.0 - across * across, 0.0)
    cut = (mouth.cut + mouth.skew * 0.5 * across) * lens
    gap = lens**_SHUT_ROUNDNESS if movement.opens < 0.0 else _gap_profile(across, mouth)
    upper_rim = cut - (movement.hides_above + movement.lifts) * gap
    lower_rim = cut + (movement.hides_below + movement.drops) * gap
    above, below = upper_rim - grid.down, grid.down - lower_rim
    height = np.maximum(lower_rim - upper_rim, 0.0)
    depth = np.clip(-above / np.maximum(height, 1e-3), 0.0, 1.0)
    upper_weight, lower_weight, inside_weight = _weights(above, below, height, depth, mouth.frame.half_width)

    lift = movement.lifts * gap * (1.0 - smooth(above / _LIP_FADE_UP)) * grid.fade
    drop = movement.drops * _jaw(across, gap, below) * grid.fade
    bent = _displaced(crop, grid, mouth, across, grid.down + lift, upper_weight)
    bent += _displaced(crop, grid, mouth, across, grid.down - drop, lower_weight)
    if movement.opens > 0.0:
        bent += inside_of(crop, mouth, across, depth, height) * inside_weight[..., None]
    return np.clip(np.rint(bent), 0, 255).astype(np.uint8)


def _rounded(grid: MouthGrid, width: float) -> Float32:
    """Where along the mouth each pixel of the answer comes from: corners drawn in for a width below 1."""
    near = bump(grid.across, SIDE_REACH) * bump(grid.down, _ROUNDING_UP_DOWN) * grid.fade
    return grid.across * (1.0 + (1.0 / width - 1.0) * near)


def _gap_profile(across: Float32, mouth: Mouth) -> Float32:
    """Height of the gap along the mouth, 1 at its highest: the lips stay together outside the mouth's reach."""
    left, right = mouth.reach
    middle, width = 0.5 * (right - left), 0.5 * (right + left) * _GAP_REACH
    roundness = between(_GAP_ROUNDNESS_LIPS, _GAP_ROUNDNESS_TEETH, mouth)
    return np.maximum(1.0 - ((across - middle) / width) ** 2, 0.0) ** roundness


def _weights(
    above: Float32, below: Float32, height: Float32, depth: Float32, half_width: float
) -> tuple[Float32, Float32, Float32]:
    """Shares of the upper half, the lower half and the inside at every pixel; their sum is 1."""
    softness = _EDGE_SOFTNESS_PX_AT_256 / 256.0 / half_width
    upper = np.clip(above / softness + 0.5, 0.0, 1.0)
    lower = np.clip(below / softness + 0.5, 0.0, 1.0)
    inside = np.maximum(1.0 - upper - lower, 0.0)
    slit = inside * (1.0 - smooth(height / _OPAQUE_FROM_HEIGHT))
    inside -= slit
    upper += slit * (1.0 - depth)
    lower += slit * depth
    total = upper + lower + inside
    return upper / total, lower / total, inside / total


def _jaw(across: Float32, gap: Float32, below: Float32) -> Float32:
    """Share of the lower lip's drop at every pixel: the lip's own curve at the rim, the whole chin below it."""
    widened = smooth(below / _JAW_WIDENS_OVER)
    chin = _JAW_SHARE * bump(across, SIDE_REACH)
    return (gap + widened * (chin - gap)) * (1.0 - smooth((below - _JAW_HOLDS) / (_JAW_ENDS - _JAW_HOLDS)))


def _displaced(crop: UInt8, grid: MouthGrid, mouth: Mouth, across: Float32, down: Float32, weight: Float32) -> Float32:
    """The crop read at the mouth coordinates `across`, `down`, times `weight`: [rows, columns, 3]."""
    displaced = np.zeros((*weight.shape, 3), np.float32)
    needed = np.flatnonzero(weight.any(axis=1))
    if not needed.size:
        return displaced
    part = slice(needed[0], needed[-1] + 1)
    to_px = mouth.frame.half_width * len(crop)
    along, deep = (across[part] - grid.across[part]) * to_px, (down[part] - grid.down[part]) * to_px
    cosine, sine = float(np.cos(mouth.frame.angle_rad)), float(np.sin(mouth.frame.angle_rad))
    columns = (grid.x_px[part] + along * cosine - deep * sine).astype(np.float32)
    rows = (grid.y_px[part] + along * sine + deep * cosine).astype(np.float32)
    read = cv2.remap(crop, columns, rows, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    displaced[part] = read * weight[part, :, None]
    return displaced
