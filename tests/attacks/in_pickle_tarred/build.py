from tests.attacks.pickles import byom_entry, tarred


def build(folder, around):
    return byom_entry(folder, tarred(around))
