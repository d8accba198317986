"""Quality of a face, and which of its action units cannot be read: refusal with a reason, instead of a wrong number."""

from edgeau.faces.quality.assessor import QualityAssessor
from edgeau.faces.quality.limits import Limits

__all__ = ["Limits", "QualityAssessor"]
