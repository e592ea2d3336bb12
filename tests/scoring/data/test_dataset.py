import hashlib
import os

import pytest

from scoring.contracts import Reader
from scoring.data.dataset import check_contents, count_labels, dataset_digest, guess_reader, readers_for
from scoring.data.labels import MAX_FINDINGS, DatasetProblem, read_labels
from tests.folders import checked

PNG_HEAD = b"\x89PNG\r\n\x1a\n" + b"content"


@pytest.fixture
def folder(tmp_path):
    """Hold three images in two folders and a labels.csv that uses every column."""
    (tmp_path / "deep" / "er").mkdir(parents=True)
    for name in ("a.png", "b.png", "deep/er/c.png"):
        (tmp_path / name).write_bytes(PNG_HEAD + name.encode())
    write(
        tmp_path,
        "file,label,split,weight,group\na.png,0,public,1,x\nb.png,2,private,2.5,y\ndeep/er/c.png,2,public,1,x\n",
    )
    return tmp_path


def write(folder, text):
    (folder / "labels.csv").write_text(text, encoding="utf-8")


HEADS = {
    Reader.IMAGE: [PNG_HEAD, b"\xff\xd8\xff\xe0", b"RIFF\0\0\0\0WEBPVP8 ", b"BM", b"II*\0", b"MM\0*"],
    Reader.VIDEO: [
        b"\0\0\0\x20ftypisom",
        b"\0\0\0\x14ftypqt  ",
        b"\0\0\0\x08wide\0\0\0\0",
        b"\x1aE\xdf\xa3\x9fB\x86\x81",
        b"RIFF\0\0\0\0AVI LIST",
    ],
    Reader.AUDIO: [
        b"RIFF\0\0\0\0WAVEfmt ",
        b"fLaC\0\0\0\x22",
        b"ID3\x04\0\0\0\0",
        b"\xff\xfb\x90\x64",
        b"\xff\xf1\x50\x80",
        b"OggS\0\x02\0\0",
        b"\0\0\0\x1cftypM4A ",
    ],
}


def findings_of(folder):
    with pytest.raises(DatasetProblem) as caught:
        checked(folder)
    return caught.value.findings


def test_a_good_folder_is_read_with_every_column(folder):
    table = checked(folder)

    assert [row.private for row in table.rows] == [False, True, False]
    assert (table.weighted, table.grouped) == (True, True)


def test_labels_are_counted_by_class(folder):
    table = checked(folder)

    assert count_labels(table, table.rows) == {0: 1, 2: 2}


def test_rows_keep_their_cells(folder):
    row = read_labels(folder).rows[1]

    assert (row.number, row.file, row.label, row.private) == (2, "b.png", 2, True)
    assert (row.weight, row.group) == (2.5, "y")


def test_only_file_and_label_are_required(folder):
    write(folder, "file,label\na.png,0\n")

    table = checked(folder)

    assert [row.private for row in table.rows] == [False]
    assert (table.weighted, table.grouped) == (False, False)


def test_a_byte_order_mark_and_blank_lines_do_no_harm(folder):
    write(folder, "\ufefffile,label\n\na.png,0\n\n")

    assert len(checked(folder).rows) == 1


def test_the_digest_is_of_the_table_and_all_contents(folder):
    write(folder, "file,label\nb.png,0\na.png,1\n")
    expected = hashlib.sha256(b"podium dataset 1\n")
    for name in ("labels.csv", "a.png", "b.png"):
        content = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        expected.update(f"{len(name)}:{name}:{content}\n".encode())

    assert dataset_digest(folder, read_labels(folder)) == "sha256:" + expected.hexdigest()


def test_one_changed_byte_changes_the_digest(folder):
    before = dataset_digest(folder, read_labels(folder))

    (folder / "b.png").write_bytes(PNG_HEAD + b"c.png")

    assert dataset_digest(folder, read_labels(folder)) != before


def test_a_missing_table_is_found(folder):
    (folder / "labels.csv").unlink()

    assert findings_of(folder) == ("labels.csv is missing",)


def test_a_table_behind_a_link_is_found(folder):
    (folder / "labels.csv").rename(folder / "other.csv")
    (folder / "labels.csv").symlink_to(folder / "other.csv")

    assert findings_of(folder) == ("labels.csv is a link or a special file",)


@pytest.mark.parametrize(
    ("header", "finding"),
    [
        ("", "line 1: the column “file” is missing"),
        ("file", "line 1: the column “label” is missing (or “mask”, or the file annotations.json)"),
        ("file,label,mask", "line 1: use either “label” or “mask”, not both"),
        (
            "file,label,Split",
            "line 1: unknown column “Split”; choose from file, label, mask, split, weight, group",
        ),
        ("file,label,label", "line 1: the column “label” appears 2 times"),
    ],
)
def test_a_wrong_header_is_found(folder, header, finding):
    write(folder, f"{header}\na.png,0\n")

    assert finding in findings_of(folder)


@pytest.mark.parametrize("name", ["/etc/passwd", "../a.png", "deep/../a.png", "./a.png", "deep//c.png", ""])
def test_a_name_that_is_no_plain_path_is_found(folder, name):
    write(folder, f"file,label\n{name},0\n")

    assert findings_of(folder)[0].startswith(f"line 2: the file name “{name}”")


@pytest.mark.parametrize("name", ["deep\\c.png", "C:a.png", "a\x00.png", "a\x1b.png"])
def test_a_name_with_a_forbidden_character_is_found(folder, name):
    write(folder, f"file,label\n{name},0\n")

    assert findings_of(folder)[0].endswith("has a backslash, a colon or a control character")


@pytest.mark.parametrize("label", ["", "x", "-1", "1.0", "+1", " 1", "²", "1" * 10])
def test_a_label_that_is_no_whole_number_is_found(folder, label):
    write(folder, f"file,label\na.png,{label}\n")

    assert findings_of(folder) == (f"line 2: the label “{label}” is not a whole number from 0 upwards",)


@pytest.mark.parametrize("split", ["", "Public", "hidden"])
def test_an_unknown_split_is_found(folder, split):
    write(folder, f"file,label,split\na.png,0,{split}\n")

    assert findings_of(folder) == (f"line 2: the split “{split}” is neither public nor private",)


@pytest.mark.parametrize("weight", ["", "0", "-1", "nan", "inf", "1e7", "x"])
def test_a_weight_that_is_no_positive_number_is_found(folder, weight):
    write(folder, f"file,label,weight\na.png,0,{weight}\n")

    assert findings_of(folder)[0].startswith(f"line 2: the weight “{weight}”")


def test_a_group_that_is_too_long_is_found(folder):
    write(folder, f"file,label,group\na.png,0,{'g' * 201}\n")

    assert findings_of(folder) == ("line 2: the group is longer than 200 characters",)


def test_a_file_named_twice_is_found(folder):
    write(folder, "file,label\na.png,0\nb.png,0\na.png,1\n")

    assert findings_of(folder) == ("line 4: “a.png” is already on line 2",)


@pytest.mark.parametrize("line", ["a.png", "a.png,0,0"])
def test_a_line_with_the_wrong_number_of_cells_is_found(folder, line):
    write(folder, f"file,label\n{line}\n")

    assert findings_of(folder) == (f"line 2: {line.count(',') + 1} cells, but the header has 2",)


def test_a_table_that_is_no_csv_is_found(folder):
    write(folder, 'file,label\n"a.png"x,0\n')

    assert findings_of(folder)[0].startswith("line 2: not readable as CSV")


def test_a_table_in_another_encoding_is_found(folder):
    (folder / "labels.csv").write_bytes("file,label\nä.png,0\n".encode("latin-1"))

    assert findings_of(folder) == ("labels.csv is not UTF-8 text (byte 11)",)


def test_a_table_without_rows_is_found(folder):
    write(folder, "file,label\n")

    assert findings_of(folder) == ("labels.csv has a header but no rows",)


def test_a_table_without_a_public_row_is_found(folder):
    write(folder, "file,label,split\na.png,0,private\n")

    assert findings_of(folder) == ("every row is private; the public board needs at least one public row",)


def test_a_missing_file_is_found(folder):
    write(folder, "file,label\ngone.png,0\n")

    assert findings_of(folder) == ("row 1: “gone.png” is missing",)


def test_an_empty_file_is_found(folder):
    (folder / "a.png").write_bytes(b"")

    assert findings_of(folder) == ("row 1: “a.png” is empty",)


def test_a_folder_in_place_of_a_file_is_found(folder):
    write(folder, "file,label\ndeep,0\n")

    assert findings_of(folder) == ("row 1: “deep” is a link or a special file",)


def test_a_link_to_a_file_is_found(folder):
    (folder / "link.png").symlink_to(folder / "a.png")
    write(folder, "file,label\nlink.png,0\n")

    assert findings_of(folder) == ("row 1: “link.png” is a link or a special file",)


def test_a_link_among_the_folders_is_found(folder):
    (folder / "sideways").symlink_to(folder / "deep", target_is_directory=True)
    write(folder, "file,label\nsideways/er/c.png,0\n")

    assert findings_of(folder) == ("row 1: “sideways/er/c.png” is inside a linked folder",)


def test_a_pipe_is_found_and_not_waited_for(folder):
    os.mkfifo(folder / "pipe.png")
    write(folder, "file,label\npipe.png,0\n")

    assert findings_of(folder) == ("row 1: “pipe.png” is a link or a special file",)


def test_a_file_that_is_no_image_is_found(folder):
    (folder / "b.png").write_text("<svg/>, which no reader decodes")

    assert findings_of(folder) == ("row 2: “b.png” is not a valid PNG, JPEG, WebP, BMP or TIFF image",)


@pytest.mark.parametrize("head", [b"RIFF\0\0\0\0WEBP", b"\xff\xd8\xff\xe0", b"BM", b"II*\0", b"MM\0*"])
def test_other_common_image_kinds_are_accepted(folder, head):
    (folder / "b.png").write_bytes(head)

    assert len(checked(folder).rows) == 3


def test_a_sound_file_in_a_riff_container_is_no_image(folder):
    (folder / "b.png").write_bytes(b"RIFF\0\0\0\0WAVE")

    assert len(findings_of(folder)) == 1


def test_all_findings_come_at_once(folder):
    write(folder, "file,label,split\n../a.png,x,public\nb.png,0,\ngone.png,0,public\n")

    assert len(findings_of(folder)) == 4


def test_a_long_list_of_findings_is_cut_with_its_count(folder):
    write(folder, "file,label\n" + "a.png,x\n" * 200)

    findings = findings_of(folder)

    assert len(findings) == MAX_FINDINGS + 1
    assert findings[-1] == "… and 349 more"


@pytest.mark.parametrize(("reader", "head"), [(reader, head) for reader in Reader for head in HEADS[reader]])
def test_the_kinds_that_a_reader_reads_are_known_by_their_first_bytes(folder, reader, head):
    write(folder, "file,label\na.png,0\n")
    (folder / "a.png").write_bytes(head)
    table = read_labels(folder)

    check_contents(folder, table, reader)

    assert reader in readers_for(folder, table)


@pytest.mark.parametrize("reader", Reader)
@pytest.mark.parametrize("head", [b"\x89", b"text", b"%PDF-1.7", b"PK\x03\x04", b"RIFF\0\0\0\0CDXA"])
def test_other_files_are_found_by_their_first_bytes(folder, reader, head):
    write(folder, "file,label\na.png,0\n")
    (folder / "a.png").write_bytes(head)
    table = read_labels(folder)

    with pytest.raises(DatasetProblem) as caught:
        check_contents(folder, table, reader)

    assert caught.value.findings[0].startswith("row 1: “a.png” is not a valid ")
    assert readers_for(folder, table) == ()


def test_every_file_must_suit_a_reader(folder):
    write(folder, "file,label\na.png,0\nb.png,1\n")
    (folder / "a.png").write_bytes(HEADS[Reader.VIDEO][0])
    (folder / "b.png").write_bytes(HEADS[Reader.AUDIO][0])
    table = read_labels(folder)

    # An MP4 may be meant as sound, and a WAV may not be meant as video.
    assert readers_for(folder, table) == (Reader.AUDIO,)
    assert guess_reader(folder, table) is Reader.VIDEO
    with pytest.raises(DatasetProblem, match="row 2"):
        check_contents(folder, table, Reader.VIDEO)


COMPOSED, APART = "caf\u00e9", "cafe\u0301"


@pytest.mark.parametrize(("in_table", "stored"), [(COMPOSED, APART), (APART, COMPOSED)])
def test_a_file_whose_name_is_composed_otherwise_is_found(in_table, stored, tmp_path):
    (tmp_path / stored).mkdir()
    (tmp_path / stored / f"{stored}.png").write_bytes(PNG_HEAD)
    write(tmp_path, f"file,label\n{in_table}/{in_table}.png,0\n")

    table = read_labels(tmp_path)

    assert [row.file for row in table.rows] == [f"{stored}/{stored}.png"]
    assert table.named_files() == (f"{stored}/{stored}.png",)


def test_two_spellings_that_are_two_files_stay_two(tmp_path):
    for name in (COMPOSED, APART):
        (tmp_path / f"{name}.png").write_bytes(PNG_HEAD)
    write(tmp_path, f"file,label\n{COMPOSED}.png,0\n{APART}.png,1\n")

    assert [row.file for row in read_labels(tmp_path).rows] == [f"{COMPOSED}.png", f"{APART}.png"]


def test_two_spellings_of_one_file_are_found(tmp_path):
    (tmp_path / f"{APART}.png").write_bytes(PNG_HEAD)
    write(tmp_path, f"file,label\n{COMPOSED}.png,0\n{APART}.png,1\n")

    with pytest.raises(DatasetProblem) as caught:
        read_labels(tmp_path)

    assert caught.value.findings == tuple(
        f"row {row}: “{APART}.png” is the file of another row too" for row in (1, 2)
    )


def test_a_linked_folder_is_not_searched_for_other_spellings(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / f"{APART}.png").write_bytes(PNG_HEAD)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "link").symlink_to(tmp_path / "elsewhere")
    write(tmp_path / "data", f"file,label\nlink/{COMPOSED}.png,0\n")

    with pytest.raises(DatasetProblem, match="is inside a linked folder"):
        read_labels(tmp_path / "data")
