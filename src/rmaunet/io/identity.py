"""Text of a scan's source that identifies a person, for those who ask for it and nobody else."""

from __future__ import annotations

from rmaunet.io.scan import DicomSource, Scan

__all__ = ["identifying_text"]

_TAGS = {
    "Patient": "PatientName",
    "Patient ID": "PatientID",
    "Birth date": "PatientBirthDate",
    "Sex": "PatientSex",
    "Study date": "StudyDate",
    "Study": "StudyDescription",
    "Series": "SeriesDescription",
    "Institution": "InstitutionName",
}


def identifying_text(scan: Scan) -> dict[str, str]:
    """Patient and study of a DICOM scan, as its first slice tells them.

    Args:
        scan: Any scan.

    Returns:
        What to call it to its value, as stored (it may hold markup); empty for formats that know no patient.
    """
    if not isinstance(scan.source, DicomSource):
        return {}
    from rmaunet.io.dicom.dicom_files import text

    first = scan.source.datasets[0]
    found = {name: text(first, keyword).strip() for name, keyword in _TAGS.items()}
    return {name: value for name, value in found.items() if value}
