"""``report.html`` and ``report.json``: what an export made, what its INT8 costs and where it is lost."""

from edgeau_export.report.int8.evidence import Answers, Candidate, Evidence, Labelled
from edgeau_export.report.int8.write import write_reports

__all__ = ["Answers", "Candidate", "Evidence", "Labelled", "write_reports"]
