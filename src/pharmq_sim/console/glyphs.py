"""Letters as rows of pixels: ASCII built in, everything else through Pillow and a Korean font where both exist."""

import base64
import importlib.util
import zlib
from functools import lru_cache
from pathlib import Path
from typing import Any

_HAS_PILLOW = importlib.util.find_spec("PIL") is not None
if _HAS_PILLOW:  # a tool of development, not a dependency
    from PIL import Image, ImageDraw, ImageFont

#: 95 characters from the space to "~", 8 x 16 pixels, one byte a row; compressed.
#: Rasterised from DejaVu Sans Mono (Bitstream Vera licence, free to embed).
_ASCII = zlib.decompress(
    base64.b85decode(
        "c-n1L-HO^k6gDxqV-Xo7lu&}i*<5%jEfl+ChnY#-H5Y~Mg*Q@)8pus=@&FQXpJ1P=k7YYEnLpQl7|oe8^PTVfjJ@6spalO>_MF3U"
        "PbMEvX?mHj*J=Uaa=jc6OALUtcW-ZpxE>A%${#1mqWr!(JUaZAZUjIV5P(3~3-KlZVWRj;9RCK_0xwq_5>ccN2rO^XiX!#m2LS*P"
        "r%y<y4^diDiei1Vix04}aqfBkC`wM+rd~hpd%5-xK75)WcJh5?w}c$~o|k9Jp3caxiqiY3viVM~z^cWRQe4r!=F1M0R*xRbuB99O"
        "#x@MzxM{|olj})-49N2CZb?jOiU7F%oqm};mu2~!EINfC3`2ytBApM{Cm)-Sz)a_JWK@71b#U&K&pVqq=W|NUd2#q8zBFGq4^Z>P"
        "fkdHO%8K=mW?d9aXQ!a!Rn=y*DJ|cA|MF6<R(Y=Zkko7X-EuK`YxODr{dC|Pf6H^!e!M3;?DYSl^g<^e0qv(1LWtK?kMQ|?-fp*b"
        "U2DB4j6wJnX}zz-eD3m{`UBpu#jeXQh6XADk|YpD{Q3mGGrb(DU~pdi>HQyng&W)~$H>R*>A_U@STn}zqvPj`s(wBPmVRvfS<PB<"
        "=;n7MI(bzeUO~D4!50*Q|L1`TbZYt2IQ<81PEEJJ8-Q+qW6CkM<6lY`+vQjKczk=mRDNazv_5^Mv(JfuJ<mwyoBIi2`!2qWrs^l{"
        "I!!a@{>lMJQ)Aa@6h&!m_oFloc}L+wO{gD432ANrcQW9}{#)A#l=T=%YiB$9?Mc1-1IOT&-v"
    )
)

HEIGHT = 16
_KOREAN_FONTS = (
    Path("/usr/share/fonts/truetype/nanum/NanumGothic.ttf"),
    Path("/usr/share/fonts/truetype/nanum/NanumBarunGothic.ttf"),
    Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"),
)
_INK = bytes(int(level > 110) for level in range(256))

#: rows of one byte a pixel, 0 or 1
Rows = tuple[bytes, ...]


#: looked for when imported: later would be inside an event loop
_FONT = next((str(path) for path in _KOREAN_FONTS if path.exists()), None) if _HAS_PILLOW else None


def korean_font() -> str | None:
    """Path of a font that has Hangul, or None when there is none or Pillow is missing (then boxes are drawn)."""
    return _FONT


@lru_cache(maxsize=16)
def _sized(path: str, pixels: int) -> Any:
    return ImageFont.truetype(path, pixels)


@lru_cache(maxsize=4096)
def glyph(char: str, scale: int) -> Rows:
    """The rows of one character, ``16 * scale`` of them; 8 or (outside ASCII) 16 times ``scale`` pixels wide."""
    code = ord(char)
    if 0x20 <= code < 0x7F:
        rows = _ASCII[(code - 0x20) * HEIGHT : (code - 0x1F) * HEIGHT]
        wide = [b"".join(bytes((row >> (7 - x) & 1,)) * scale for x in range(8)) for row in rows]
        return tuple(row for row in wide for _ in range(scale))
    path = korean_font()
    return _box(scale) if path is None else _drawn(path, char, scale)


def _drawn(path: str, char: str, scale: int) -> Rows:
    side = HEIGHT * scale
    image = Image.new("L", (side, side), 0)
    ImageDraw.Draw(image).text((side // 16, -side // 16), char, fill=255, font=_sized(path, side - side // 8))
    pixels = image.tobytes().translate(_INK)
    return tuple(pixels[y * side : (y + 1) * side] for y in range(side))


def _box(scale: int) -> Rows:
    side = HEIGHT * scale
    edge, line, blank = (b"\0" * side), b"\0" + b"\1" * (side - 2) + b"\0", b"\0\1" + b"\0" * (side - 4) + b"\1\0"
    return (edge, line, *([blank] * (side - 4)), line, edge)


@lru_cache(maxsize=512)
def line(text: str, scale: int) -> Rows:
    """The rows of a whole line of text."""
    glyphs = [glyph(char, scale) for char in text]
    return tuple(b"".join(rows) for rows in zip(*glyphs, strict=True))


def width(text: str, scale: int) -> int:
    """Pixels that ``text`` takes."""
    return sum(8 if 0x20 <= ord(char) < 0x7F else 16 for char in text) * scale
