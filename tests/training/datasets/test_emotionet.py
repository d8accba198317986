import zipfile

import numpy as np
import pytest

from edgeau.errors import InputError, UsageError
from edgeau_training.datasets.emotionet import LABELS, RATES, EmotioNet
from edgeau_training.datasets.label_codes import LabelRateWarning
from edgeau_training.datasets.picture_table import MissingPicturesWarning

NUMBERS = [int(label[2:]) for label in LABELS]
HEADER = ["URL", "URL orig", *(f"'AU {number}'" for number in range(1, 61))]
LINK = "http://cbcsnas01.ece.ohio-state.edu/EmotioNet/Images"


def name(number):
    return f"N_{number:010d}_00001.jpg"


def row(number, **codes):
    """A row of the expert sheet: the link ends with a stray apostrophe, AUs not given are 0."""
    values = (codes.get(f"AU{au}", 0) for au in range(1, 61))
    return [f"{LINK}/{number}/{name(number)}'", f"http://elsewhere.org/{number}.jpg'", *values]


def write_xlsx(path, rows):
    """The least that a spreadsheet is: one sheet, text inline, numbers as numbers."""
    cells = "".join("<row>" + "".join(_cell(value) for value in row) + "</row>" for row in rows)
    types = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    package = "http://schemas.openxmlformats.org/package/2006"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{types}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{types}.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="rId1" Type="{relation}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{relation}">'
        '<sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="rId1" Type="{relation}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{cells}</sheetData></worksheet>',
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for part, text in parts.items():
            archive.writestr(part, f'<?xml version="1.0" encoding="UTF-8"?>{text}')


def _cell(value):
    if isinstance(value, str):
        return f'<c t="inlineStr"><is><t>{value}</t></is></c>'
    return f"<c><v>{value}</v></c>"


def write_csv(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(",".join(map(str, row)) + "\n" for row in rows))


ROWS = [row(1, AU1=1, AU7=1), row(2, AU12=999, AU56=1), row(3, AU24=1)]


@pytest.fixture
def pictures(tmp_path, touch):
    touch(*(tmp_path / "img" / name(number) for number in (1, 2, 3)))
    return tmp_path


@pytest.mark.parametrize(("file", "writer"), [("facs.xlsx", write_xlsx), ("facs.csv", write_csv)])
def test_sheet_and_csv_with_apostrophes_give_the_same_labels(pictures, file, writer):
    writer(pictures / file, [HEADER, *ROWS])
    frames = EmotioNet(pictures, file).read()
    assert frames.pictures == tuple(name(number) for number in (1, 2, 3))
    assert [LABELS[column] for column in np.flatnonzero(frames.occurrence.sum(0))] == ["AU1", "AU24", "AU56"]
    assert frames.mask.sum() == 3 * 23 - 1
    assert frames.mask[1, LABELS.index("AU12")] == 0  # 999 is not coded, never present


def test_dead_links_are_left_out_aloud(pictures):
    write_xlsx(pictures / "facs.xlsx", [HEADER, *ROWS, row(4), row(5)])
    with pytest.warns(MissingPicturesWarning, match="EmotioNet: 2 labelled frames have no picture"):
        frames = EmotioNet(pictures, "facs.xlsx").read()
    assert len(frames) == 3
    with pytest.raises(InputError, match=rf"facs\.xlsx, row 5: there is no picture {name(4)}"):
        EmotioNet(pictures, "facs.xlsx", missing="error").read()


def test_a_repeated_picture_is_read_once_and_stands_in_one_fold(tmp_path, touch):
    touch(*(tmp_path / "img" / name(number) for number in range(50)))
    write_csv(
        tmp_path / "facs.csv", [HEADER, *(row(n, AU1=1) for n in range(50)), *(row(n) for n in range(20))]
    )
    reader = EmotioNet(tmp_path, "facs.csv")
    frames = reader.read()
    assert len(frames) == 50
    assert frames.occurrence[:, 0].all()  # the first row of each counts
    tested = [reader.fold(frames, fold).test for fold in reader.folds]
    assert [len(rows) for rows in tested] == [10] * 5
    assert sorted(np.concatenate(tested).tolist()) == list(range(50))
    again = EmotioNet(tmp_path, "facs.csv", seed=1)
    assert again.fold(frames, "1").test.tolist() != tested[0].tolist()


def test_noisy_files_have_60_columns_without_a_header(tmp_path, touch):
    rows = [row(1, AU2=1, AU60=1), row(2, AU43=999), row(3)]
    for file, part in (("dataFile_0001.txt", rows[:2]), ("dataFile_0002.txt", rows[2:])):
        text = "".join("\t".join(str(cell).strip("'") for cell in line) + "\n" for line in part)
        (tmp_path / file).write_text(text)
    touch(
        *(tmp_path / "img" / f"dataFile_{n:04d}" / name(n) for n in (1, 2, 3))
    )  # each downloader has its own folders
    frames = EmotioNet(tmp_path, ".").read()
    assert frames.pictures[0] == f"dataFile_0001/{name(1)}"
    assert frames.occurrence.sum() == 1
    assert frames.occurrence[0, LABELS.index("AU2")] == 1
    assert frames.mask[1, LABELS.index("AU43")] == 0


def flat(number, **codes):
    return " ".join([name(number), *(str(codes.get(label, 0)) for label in LABELS)])


def test_siats_flat_list_is_in_ascending_order(pictures, write):
    write(pictures / "label.txt", flat(1, AU4=1), flat(2, AU56=1, AU10=999), flat(3))
    frames = EmotioNet(pictures, "label.txt").read()
    assert frames.occurrence[0].nonzero()[0].tolist() == [NUMBERS.index(4)]
    assert frames.occurrence[1].nonzero()[0].tolist() == [22]
    assert frames.mask[1, NUMBERS.index(10)] == 0


def test_a_flat_list_that_points_nowhere_names_its_row(pictures, write):
    write(pictures / "label.txt", flat(1), flat(2), flat(9))
    with pytest.raises(InputError, match=rf"label\.txt, row 3: there is no picture {name(9)} under .*img"):
        EmotioNet(pictures, "label.txt").read()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([flat(1), flat(2) + " 0"], r"label\.txt, row 2: 25 columns instead of 24"),
        ([flat(1), "", flat(2)], r"label\.txt, row 2: 0 columns instead of 24"),
        (
            [flat(1, AU5=2)],
            r"label\.txt, row 1, AU5: label 2 is not known; 1 is present, 0 absent, 999 not coded",
        ),
        ([flat(1), flat(2, AU9="-")], r"label\.txt, row 2, AU9: '-' is not a whole number"),
        ([], r"label\.txt is empty"),
    ],
)
def test_a_damaged_flat_list_is_named_with_its_row(pictures, write, content, message):
    write(pictures / "label.txt", *content)
    with pytest.raises(InputError, match=message):
        EmotioNet(pictures, "label.txt").read()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([["url", *HEADER[1:]], *ROWS], r"facs\.csv, row 1: .* but URL is not there"),
        ([HEADER[:-5], *(line[:-5] for line in ROWS)], r"facs\.csv, row 1: .* but AU56 is not there"),
        ([HEADER, ROWS[0], ROWS[1][:-1]], r"facs\.csv, row 3: 61 columns instead of 62"),
        ([HEADER, ROWS[0], row(2, AU1="")], r"facs\.csv, row 3, AU1: '' is not a whole number"),
        ([HEADER, ["'", *ROWS[0][1:]]], r"facs\.csv, row 2: no picture is named"),
        ([HEADER], r"facs\.csv has no row below its header"),
    ],
)
def test_a_damaged_sheet_is_named_with_its_row(pictures, rows, message):
    write_csv(pictures / "facs.csv", rows)
    with pytest.raises(InputError, match=message):
        EmotioNet(pictures, "facs.csv").read()


def test_what_is_no_spreadsheet_or_not_there_is_one_line(pictures):
    (pictures / "facs.xlsx").write_text("no zip")
    with pytest.raises(InputError, match=r"facs\.xlsx cannot be read as a spreadsheet"):
        EmotioNet(pictures, "facs.xlsx").read()
    with pytest.raises(InputError, match=r"emotionet_facs_24600\.xlsx does not exist"):
        EmotioNet(pictures).read()
    with pytest.raises(InputError, match=r"holds no dataFile_\*\.txt"):
        EmotioNet(pictures, ".").read()
    write_csv(pictures / "facs.csv", [HEADER, *ROWS])
    with pytest.raises(InputError, match="picture folder .*nowhere does not exist"):
        EmotioNet(pictures, "facs.csv", pictures="nowhere").read()
    with pytest.raises(UsageError, match="2 or more folds"):
        EmotioNet(pictures, count=1)


def test_rates_are_of_all_rows_and_shifted_columns_are_warned_of(tmp_path, write, touch):
    count = 1200
    rates = dict(zip(LABELS, np.roll(list(RATES.values()), 1), strict=True))
    write(
        tmp_path / "label.txt",
        *(flat(n, **{au: int(n / count <= rate) for au, rate in rates.items()}) for n in range(1, count + 1)),
    )
    touch(*(tmp_path / "img" / name(n) for n in range(1, count + 1)))
    with pytest.warns(LabelRateWarning, match=r"AU10 0\.02\d instead of 0\.634"):
        EmotioNet(tmp_path, "label.txt").read()
