for strategy in chunk stripe even size hash; do
    canfar-split $strategy --replica 1/2 --allow-empty --from /dev/null && echo $strategy: fine
done
