from tests.golden.build import build_entry


def build(folder, around):
    documents = {"mochi.json": "[" * 100_000, "export_artifacts/manifest.json": '{"a":' * 50_000}
    return build_entry({"entry": {"name": "entry.tar.gz", "byom": {"text": documents}}}, folder, folder)
