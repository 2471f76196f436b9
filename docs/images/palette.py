"""Keep the pictures small: a screenshot and a plot need few colours."""

from pathlib import Path


def write_with_palette(picture: Path) -> None:
    """Write the picture anew with a palette, whose colours are hardly off the true ones."""
    from PIL import Image

    with Image.open(picture) as image:
        true_colours = image.convert("RGB")
    small = true_colours.quantize(method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    small.save(picture, optimize=True)
