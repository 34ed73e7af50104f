// Shows the document of the service that serves this page. No validator of another host is asked.
SwaggerUIBundle({ url: "openapi.json", dom_id: "#viewer", deepLinking: true, validatorUrl: null, docExpansion: "list" });
