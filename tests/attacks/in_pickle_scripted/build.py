from tests.attacks.pickles import byom_entry, scripted


def build(folder, around):
    return byom_entry(folder, scripted(around))
