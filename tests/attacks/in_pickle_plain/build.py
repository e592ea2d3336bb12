from tests.attacks.pickles import byom_entry, plain


def build(folder, around):
    return byom_entry(folder, plain(around))
