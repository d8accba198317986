"""``report.html`` and ``report.json``: what an export made, what its INT8 costs and where it is lost."""

from edgeau_export.report.int8.collect import report_inputs
from edgeau_export.report.int8.inputs import ArtifactAnswers, Labelled, ReportedCandidate, ReportInputs
from edgeau_export.report.int8.write import write_reports

__all__ = [
    "ArtifactAnswers",
    "Labelled",
    "ReportInputs",
    "ReportedCandidate",
    "report_inputs",
    "write_reports",
]
