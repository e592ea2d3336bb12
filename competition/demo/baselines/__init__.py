"""Two small entries as participants would write them; `competition.demo.train` trains and packs them."""
