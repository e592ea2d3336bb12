from tests.attacks.pickles import byom_entry, legacy


def build(folder, around):
    return byom_entry(folder, legacy(around))
