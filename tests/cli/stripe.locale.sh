# no locale changes an order or a match; Estonian sorts z between s and t
localedef --no-archive -c -i et_EE -f UTF-8 "$PWD/et_EE.UTF-8" >/dev/null 2>&1 ||
    { echo 'the locale et_EE cannot be made here' >&2; exit 77; }
mkdir d && cd d && touch a s t z B "$(printf '\303\244')" "$(printf 'bad\377')"
for strategy in stripe size; do
    for locale in C et_EE.UTF-8; do
        LOCPATH=$OLDPWD LC_ALL=$locale canfar-split $strategy --replica 1/1 '*' >../$strategy.$locale
    done
    cmp ../$strategy.C ../$strategy.et_EE.UTF-8 && echo same
done
LOCPATH=$OLDPWD LC_ALL=et_EE.UTF-8 canfar-split stripe --replica 1/1 '[a-t]'
