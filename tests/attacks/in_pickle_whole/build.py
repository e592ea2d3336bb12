from tests.attacks.pickles import byom_entry, whole


def build(folder, around):
    return byom_entry(folder, whole(around))
