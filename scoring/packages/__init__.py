"""The trusted side of each package format: looks at files, never imports or runs them."""

from __future__ import annotations

from typing import Final

from scoring.contracts import Format, PackageFormat
from scoring.packages import byom, cvpr_zip, gasbench, onnx, qaihub

FORMATS: Final[dict[Format, PackageFormat]] = {
    Format.CVPR_ZIP: cvpr_zip,
    Format.ONNX: onnx,
    Format.QAIHUB: qaihub,
    Format.GASBENCH: gasbench,
    Format.BYOM: byom,
}
