kite info --offline >/dev/null 2>&1 || kite init --network regtest --esplora "$ESPLORA" # writes the words down: keep them
kite pay "$INVOICE" --yes --json                                                     # without --yes it shows all and asks
