"""What of a query may be kept when nothing was found: never a name, a number or an address. Pure."""

from collections.abc import Callable, Sequence

from referral.directory.search.words import EMPTY_WORDS

#: A longer text tells a story about somebody.
MOST_WORDS = 6
SHORTEST_WORD = 3
#: Common given names that are words of the dictionary too. By itself such a word tells nobody; it is not kept
#: all the same.
_GIVEN_NAMES = """
abdul adi agung agus ahmad aisyah ali amin aminah andi andri anisa ani arif asih asri ayu bagus bambang bayu
bima budi bunga cahaya candra cici cinta citra damar dani dedi desi devi dewa dewi dian didi dimas dini dodi
eka eko elang endang erna fajar farida fatimah fitri gilang guntur gunawan guruh hadi hana hari hartono hasan
hendra heru hidayat husein ibrahim ida ilham iman imam indah indra intan irma ismail jaka joko jumat kartika
kasih kurnia kusuma laksmi lestari lia lili lina lukman maharani malik mardi maria maya mega melati mentari
mira muhammad mulia mulya murni mustika mutiara nana nanda nia nina novi nur nurul permata pertiwi pratama
purnama puspa putra putri putu rahayu rahma rahman rahmat raja rama rani ratih ratna ratu restu rina rini
rizki rosa rudi sakti salam salim sari satria sekar septi setia setiawan sinta siti sri sukma sumi surya
susanti susi sutan taufik teguh tini tiara tirta titi tono tri tuti umar utami wahyu wati wawan widi widya
wulan yanti yanto yati yoga yudi yuli yuni yusuf zahra zain
"""
_NAMES = frozenset(_GIVEN_NAMES.split())


def countable(
    words: Sequence[str],
    *,
    names_help: Callable[[str], bool],
    names_region: Callable[[str], bool],
    is_plain_word: Callable[[str], bool],
    is_danger: bool,
) -> list[str]:
    """The entries to count for a query: its words for help and region together, and plain words each by itself.

    words           of the query in order, lower case
    names_help      whether a kind of help or office is named by it
    names_region    whether a province, kabupaten or kota is
    is_plain_word   whether it is in the dictionary and in no name of the directory
    is_danger       whether the query is about somebody in danger: where is then not kept
    """
    if len(words) > MOST_WORDS:
        return []
    together, alone = [], []
    for word in words:
        if word in EMPTY_WORDS or len(word) < SHORTEST_WORD or not word.isalpha():
            continue
        if names_help(word) or (names_region(word) and not is_danger):
            together.append(word)
        elif word not in _NAMES and not names_region(word) and is_plain_word(word):
            alone.append(word)
    # A region alone says nothing about what is missing there.
    entry = " ".join(together) if any(names_help(word) for word in together) else ""
    return list(dict.fromkeys([*([entry] if entry else []), *alone]))
