from tests.attacks.pickles import byom_entry, zipped


def build(folder, around):
    return byom_entry(folder, zipped(around))
