print("customised")
