"""The gradient check (README part N): whether `backward` is right, and where and how it is not."""

from acai.gradcheck.asserting import assert_gradients
from acai.gradcheck.check import check
from acai.gradcheck.exact import NotExact
from acai.gradcheck.functions import check_function
from acai.gradcheck.geometries import GeometryReports
from acai.gradcheck.identities import adjoint, check_steps
from acai.gradcheck.picture import error_map
from acai.gradcheck.report import Finding, Report

__all__ = [
    "Finding", "GeometryReports", "NotExact", "Report", "adjoint", "assert_gradients", "check", "check_function",
    "check_steps", "error_map",
]
