"""Whether a face can be judged, and which of its action units cannot: refusal with a reason, instead of a wrong number."""

from edgeau.faces.quality.assessor import QualityAssessor
from edgeau.faces.quality.limits import Limits

__all__ = ["Limits", "QualityAssessor"]
