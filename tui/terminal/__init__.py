"""What lies beyond the screen: the clipboard, the browser, and notices of the terminal."""
