// Sends the page's only form on. Without scripts its button does the same.
HTMLFormElement.prototype.submit.call(document.forms[0]);
