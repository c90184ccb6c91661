// Which format a body has, and which one the answer gets: the rules of ASP.NET Web API 5.2.3.
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;

namespace TppMono
{
    public enum Format { Json, Xml }

    // A supported media type and the format behind it.
    public class MediaType
    {
        public static readonly MediaType[] All =
        {
            new MediaType("application/json", Format.Json), new MediaType("text/json", Format.Json),
            new MediaType("application/xml", Format.Xml), new MediaType("text/xml", Format.Xml),
        };

        public readonly string Name;
        public readonly Format Format;

        MediaType(string name, Format format)
        {
            Name = name;
            Format = format;
        }

        // The type that a Content-Type header names, its parameters ignored; null if it is not supported.
        public static MediaType Of(string contentType)
        {
            if (contentType == null) return null;
            var name = contentType.Split(';')[0].Trim();
            return All.FirstOrDefault(type => type.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
        }
    }

    // One value of an Accept or Accept-Charset header.
    class Wish
    {
        public string Name;
        public double Quality = 1;

        public int Specificity { get { return Name == "*/*" || Name == "*" ? 0 : Name.EndsWith("/*") ? 1 : 2; } }

        public bool Matches(string name)
        {
            if (Specificity == 0) return true;
            if (Specificity == 1) return name.StartsWith(Name.Substring(0, Name.Length - 1), StringComparison.OrdinalIgnoreCase);
            return name.Equals(Name, StringComparison.OrdinalIgnoreCase);
        }

        // The wishes of a header, the strongest and most specific first; a quality of 0 is no wish.
        public static List<Wish> Parse(string header)
        {
            if (header == null) return new List<Wish>();
            return header.Split(',').Select(One).Where(w => w.Name != "" && w.Quality > 0)
                .OrderByDescending(w => w.Quality).ThenByDescending(w => w.Specificity).ToList();
        }

        static Wish One(string text)
        {
            var parts = text.Split(';').Select(p => p.Trim()).ToArray();
            var wish = new Wish { Name = parts[0] };
            foreach (var part in parts.Skip(1))
                if (part.StartsWith("q=", StringComparison.OrdinalIgnoreCase))
                    double.TryParse(part.Substring(2), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out wish.Quality);
            return wish;
        }
    }

    static class Negotiation
    {
        static readonly Encoding utf8 = new UTF8Encoding(false, true);
        static readonly Encoding utf16 = new UnicodeEncoding(false, true, true);

        // The media type that Accept asks for; null if it asks for none of ours.
        public static MediaType Accepted(Request request)
        {
            foreach (var wish in Wish.Parse(request.Header("Accept")))
                foreach (var type in MediaType.All)
                    if (wish.Matches(type.Name) && !OutbidBy(request, type, wish)) return type;
            return null;
        }

        // JSON beats XML on a tie, whatever their order in the header.
        static bool OutbidBy(Request request, MediaType type, Wish wish)
        {
            if (type.Format == Format.Json) return false;
            return Wish.Parse(request.Header("Accept")).Any(other => other.Quality == wish.Quality
                && other.Specificity == wish.Specificity
                && MediaType.All.Any(t => t.Format == Format.Json && other.Matches(t.Name)));
        }

        // The media type of the answer: what is accepted, else what the request has, else JSON.
        public static MediaType ForAnswer(Request request)
        {
            return Accepted(request) ?? MediaType.Of(request.Header("Content-Type")) ?? MediaType.All[0];
        }

        // The encoding of a request body: its charset if we know it, else UTF-8.
        public static Encoding OfRequest(Request request)
        {
            foreach (var part in (request.Header("Content-Type") ?? "").Split(';').Skip(1))
            {
                var pair = part.Split('=');
                if (pair.Length == 2 && pair[0].Trim().Equals("charset", StringComparison.OrdinalIgnoreCase))
                    return Known(pair[1].Trim().Trim('"')) ?? utf8;
            }
            return utf8;
        }

        public static Encoding Utf8 { get { return utf8; } }

        // The encoding that Accept-Charset asks for; null if it asks for none of ours.
        public static Encoding AcceptedCharset(Request request)
        {
            return Wish.Parse(request.Header("Accept-Charset"))
                .Select(wish => wish.Name == "*" ? utf8 : Known(wish.Name)).FirstOrDefault(e => e != null);
        }

        static Encoding Known(string charset)
        {
            return new[] { utf8, utf16 }.FirstOrDefault(e => e.WebName.Equals(charset, StringComparison.OrdinalIgnoreCase));
        }
    }
}
