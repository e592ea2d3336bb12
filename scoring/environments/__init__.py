"""Lists of what entries can import in other environments than env.txt: NAME.txt pins every package of NAME."""
