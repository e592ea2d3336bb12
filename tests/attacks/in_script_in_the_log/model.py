print("<script>alert('owned')</script><img src=x onerror=alert('owned')>")
raise RuntimeError("<script>alert('owned')</script> \u202e{{ 7 * 7 }}")


class Model: ...
