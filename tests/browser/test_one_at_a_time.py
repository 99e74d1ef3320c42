"""The server of browser tests, whose threads share one connection to SQLite."""

from threading import Event, Thread

from tests.browser.conftest import OneAtATime


def test_a_request_waits_until_the_one_before_is_answered():
    inside, may_end, done = [], Event(), []
    first_is_in = Event()

    def app(environ, start_response):
        inside.append(environ["name"])
        first_is_in.set()
        may_end.wait(10)
        return iter([environ["name"].encode(), b"."])

    alone = OneAtATime(app)

    def ask(name):
        done.append(alone({"name": name}, lambda *_: None))

    threads = [Thread(target=ask, args=[name]) for name in ("first", "second")]
    threads[0].start()
    assert first_is_in.wait(10)
    threads[1].start()
    threads[1].join(0.2)

    assert inside == ["first"]
    may_end.set()
    for thread in threads:
        thread.join(10)
    assert done == [[b"first."], [b"second."]]
